  ;; Asks for its arguments for ever, by a function that WASI has and nobody stands behind.
  (import "wasi:cli/environment@0.2.6" (instance $environment
    (export "get-arguments" (func (result (list string))))))
  (core func $arguments (canon lower (func $environment "get-arguments")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core module $Main
    (import "host" "arguments" (func $arguments (param i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (loop $again
        (call $arguments (i32.const 64))
        (br $again))
      unreachable))
  (core instance $main (instantiate $Main
    (with "host" (instance (export "arguments" (func $arguments))))))
