   ;; Logs a thousand fields that are the same 64 KiB of memory: little for the guest, much for the
  ;; host.
  (core func $emit (canon lower (func $log "emit")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core module $Main
    (import "std" "memory" (memory 1))
    (import "host" "emit" (func $emit (param i32 i32 i32 i32 i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (local $i i32)
      (loop $more
        (i32.store (i32.add (i32.const 1024) (i32.mul (local.get $i) (i32.const 16))) (i32.const 0))
        (i32.store (i32.add (i32.const 1028) (i32.mul (local.get $i) (i32.const 16)))
          (i32.const 65536))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $i) (i32.const 1000))))
      (call $emit (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 1000))
      (i32.const 0)))
  (core instance $main (instantiate $Main
    (with "std" (instance $std))
    (with "host" (instance (export "emit" (func $emit))))))
