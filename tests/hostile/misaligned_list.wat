  ;; Logs fields that lie between two words.
  (core func $emit (canon lower (func $log "emit")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core module $Main
    (import "std" "memory" (memory 1))
    (import "host" "emit" (func $emit (param i32 i32 i32 i32 i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (call $emit (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 1026) (i32.const 1))
      (i32.const 0)))
  (core instance $main (instantiate $Main
    (with "std" (instance $std))
    (with "host" (instance (export "emit" (func $emit))))))
