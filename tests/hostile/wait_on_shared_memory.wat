;; Would sleep on an address of its memory, where no tick of the host's reaches it.
(component
  (core module $Main
    (memory (export "memory") 1 1 shared)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
  (core instance $main (instantiate $Main)))
