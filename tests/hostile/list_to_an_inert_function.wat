  ;; Hands eight million bytes to a function that nobody stands behind, as single values.
  (import "wasi:filesystem/types@0.2.6" (instance $files
    (export "descriptor" (type $descriptor (sub resource)))
    (export "take" (func (param "bytes" (list u8))))))
  (core func $take (canon lower (func $files "take")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core module $Main
    (import "std" "memory" (memory 1))
    (import "host" "take" (func $take (param i32 i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (drop (memory.grow (i32.const 200)))
      (call $take (i32.const 0) (i32.const 8_000_000))
      (i32.const 0)))
  (core instance $main (instantiate $Main
    (with "std" (instance $std))
    (with "host" (instance (export "take" (func $take))))))
