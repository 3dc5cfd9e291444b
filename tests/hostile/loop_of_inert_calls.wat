  ;; Asks for ever, by a function that is WASI's in name alone and that nobody stands behind.
  (import "wasi:sockets/instance-network@0.2.6" (instance $sockets
    (export "get-addresses" (func (result (list string))))))
  (core func $addresses (canon lower (func $sockets "get-addresses")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core module $Main
    (import "host" "addresses" (func $addresses (param i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (loop $again
        (call $addresses (i32.const 64))
        (br $again))
      unreachable))
  (core instance $main (instantiate $Main
    (with "host" (instance (export "addresses" (func $addresses))))))
