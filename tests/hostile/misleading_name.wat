  ;; Traps in a function whose name reads like one of the engine's errors.
  (core module $Main
    (func $"store handle limit exceeded: fuel allocated for hostcalls" unreachable)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (call $"store handle limit exceeded: fuel allocated for hostcalls")
      (i32.const 0)))
  (core instance $main (instantiate $Main))
