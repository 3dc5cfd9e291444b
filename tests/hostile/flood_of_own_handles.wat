  ;; Makes one resource of its own kind after the other.
  (type $own (resource (rep i32)))
  (core func $new (canon resource.new $own))
  (core module $Main
    (import "host" "new" (func $new (param i32) (result i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (loop $again
        (drop (call $new (i32.const 1)))
        (br $again))
      unreachable))
  (core instance $main (instantiate $Main
    (with "host" (instance (export "new" (func $new))))))
