  ;; Hands back a result, then traps while it clears up: the result doesn't count.
  (core module $Main
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 0))
    (func (export "clear-up") (param i32) unreachable))
  (core instance $main (instantiate $Main))
  (func $handle (param "function" string) (param "input" $payload)
    (result (result (option $payload) (error $failure)))
    (canon lift (core func $main "handle") (memory (core memory $std "memory"))
      (realloc (core func $std "realloc"))
      (post-return (core func $main "clear-up"))))
