  ;; Saves eight kilobytes, for ever.
  (core func $save (canon lower (func $context "save-checkpoint")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core module $Main
    (import "std" "memory" (memory 1))
    (import "host" "save" (func $save (param i32 i32 i32 i32 i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (drop (memory.grow (i32.const 2)))
      (loop $again
        (call $save (i32.const 0) (i32.const 0) (i32.const 4096) (i32.const 8192) (i32.const 64))
        (br $again))
      unreachable))
  (core instance $main (instantiate $Main
    (with "std" (instance $std))
    (with "host" (instance (export "save" (func $save))))))
