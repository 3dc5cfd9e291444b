  ;; Has what it reserved written where no memory is.
  (core func $reserve (canon lower (func $cache "get-or-reserve")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core func $fill (canon lower (func $cache "[static]reservation.fill")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core func $drop (canon resource.drop $reservation))
  (core module $Main
    (import "std" "memory" (memory 1))
    (import "host" "reserve" (func $reserve (param i32 i32 i32 i32 i64 i32)))
    (import "host" "fill" (func $fill (param i32 i32 i32 i32 i64 i32)))
    (import "host" "drop" (func $drop (param i32)))
    (data (i32.const 1024) "shared" "wanted")
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (call $reserve (i32.const 1024) (i32.const 6) (i32.const 1030) (i32.const 6)
        (i64.const 0) (i32.const 0x7ffffff0))
      (i32.const 0)))
  (core instance $main (instantiate $Main
    (with "std" (instance $std))
    (with "host" (instance
      (export "reserve" (func $reserve))
      (export "fill" (func $fill))
      (export "drop" (func $drop))))))
