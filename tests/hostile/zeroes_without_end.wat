  ;; Has the host write more zeroes than there are bytes in the world.
  (import "wasi:io/error@0.2.6" (instance $io-error
    (export "error" (type (sub resource)))))
  (alias export $io-error "error" (type $io-error))
  (import "wasi:io/streams@0.2.6" (instance $streams
    (alias outer 1 $io-error (type $e'))
    (export "error" (type $e (eq $e')))
    (type $stream-error' (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error')))
    (export "output-stream" (type $output (sub resource)))
    (export "[method]output-stream.write" (func
      (param "self" (borrow $output)) (param "contents" (list u8))
      (result (result (error $stream-error)))))
    (export "[method]output-stream.write-zeroes" (func
      (param "self" (borrow $output)) (param "len" u64)
      (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output))
  (import "wasi:cli/stdout@0.2.6" (instance $stdout
    (alias outer 1 $output (type $o'))
    (export "output-stream" (type $o (eq $o')))
    (export "get-stdout" (func (result (own $o))))))
  (core func $stdout (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower (func $streams "[method]output-stream.write")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core func $zeroes (canon lower (func $streams "[method]output-stream.write-zeroes")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core module $Main
    (import "std" "memory" (memory 1))
    (import "host" "stdout" (func $stdout (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "zeroes" (func $zeroes (param i32 i64 i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (call $zeroes (call $stdout) (i64.const 0x7fff_ffff_ffff_ffff) (i32.const 64))
      (i32.const 0)))
  (core instance $main (instantiate $Main
    (with "std" (instance $std))
    (with "host" (instance
      (export "stdout" (func $stdout))
      (export "write" (func $write))
      (export "zeroes" (func $zeroes))))))
