  ;; Waits for input that nobody will ever give.
  (import "wasi:io/error@0.2.6" (instance $io-error
    (export "error" (type (sub resource)))))
  (alias export $io-error "error" (type $io-error))
  (import "wasi:io/streams@0.2.6" (instance $streams
    (alias outer 1 $io-error (type $e'))
    (export "error" (type $e (eq $e')))
    (type $stream-error' (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error')))
    (export "input-stream" (type $input (sub resource)))
    (export "[method]input-stream.blocking-read" (func
      (param "self" (borrow $input)) (param "len" u64)
      (result (result (list u8) (error $stream-error)))))))
  (alias export $streams "input-stream" (type $input))
  (import "wasi:cli/stdin@0.2.6" (instance $stdin
    (alias outer 1 $input (type $i'))
    (export "input-stream" (type $i (eq $i')))
    (export "get-stdin" (func (result (own $i))))))
  (core func $stdin (canon lower (func $stdin "get-stdin")))
  (core func $read (canon lower (func $streams "[method]input-stream.blocking-read")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core module $Main
    (import "host" "stdin" (func $stdin (result i32)))
    (import "host" "read" (func $read (param i32 i64 i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (call $read (call $stdin) (i64.const -1) (i32.const 64))
      (i32.const 0)))
  (core instance $main (instantiate $Main
    (with "host" (instance (export "stdin" (func $stdin)) (export "read" (func $read))))))
