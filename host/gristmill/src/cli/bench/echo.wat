;; The leanest job there is: it gives back the payload that it is given, and imports nothing but types.
(component
  (import "gristmill:job/types@0.1.0" (instance $types
    (type $payload' (record (field "content-type" string) (field "data" (list u8))))
    (export "payload" (type $payload (eq $payload')))
    (type $disposition' (variant (case "retry") (case "retry-after" u64) (case "fatal")))
    (export "disposition" (type $disposition (eq $disposition')))
    (type $failure' (record
      (field "message" string) (field "code" (option string))
      (field "detail" (option $payload)) (field "disposition" $disposition)))
    (export "failure" (type (eq $failure')))))
  (alias export $types "payload" (type $payload))
  (alias export $types "failure" (type $failure))
  ;; The result, 64 bytes, is written at 16: ok at 16, some at 24, the payload behind it. Allocations
  ;; begin at 128 and are never given back.
  (core module $Echo
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 128))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (loop $more
        (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
          (then
            (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
            (br $more))))
      (local.get $at))
    ;; Gets the function's name and the payload's two parts, each by place and length.
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.store8 (i32.const 16) (i32.const 0))
      (i32.store8 (i32.const 24) (i32.const 1))
      (i32.store (i32.const 28) (local.get 2))
      (i32.store (i32.const 32) (local.get 3))
      (i32.store (i32.const 36) (local.get 4))
      (i32.store (i32.const 40) (local.get 5))
      (i32.const 16)))
  (core instance $echo (instantiate $Echo))
  (func $handle (param "function" string) (param "input" $payload)
    (result (result (option $payload) (error $failure)))
    (canon lift (core func $echo "handle")
      (memory (core memory $echo "memory")) (realloc (core func $echo "realloc"))))
  (instance $handler (export "handle" (func $handle)))
  (export "gristmill:job/handler@0.1.0" (instance $handler)))
