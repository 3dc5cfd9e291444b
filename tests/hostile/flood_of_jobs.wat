  ;; Puts together one job after the other, and enqueues none.
  (core func $job (canon lower (func $queue "[constructor]new-job")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core func $set (canon lower (func $queue "[method]new-job.set-header")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core func $enqueue (canon lower (func $queue "enqueue")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core func $drop (canon resource.drop $job))
  (core module $Main
    (import "std" "memory" (memory 1))
    (import "host" "job" (func $job (param i32 i32 i32 i32 i32 i32) (result i32)))
    (import "host" "set" (func $set (param i32 i32 i32 i32 i32)))
    (import "host" "enqueue" (func $enqueue (param i32 i32 i32 i32)))
    (import "host" "drop" (func $drop (param i32)))
    (data (i32.const 1024) "f")
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (loop $again
        (drop
          (call $job (i32.const 1024) (i32.const 1)
            (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
        (br $again))
      unreachable))
  (core instance $main (instantiate $Main
    (with "std" (instance $std))
    (with "host" (instance
      (export "job" (func $job))
      (export "set" (func $set))
      (export "enqueue" (func $enqueue))
      (export "drop" (func $drop))))))
