;; Has a function that ends some other time, which is switched off here.
(component
  (core module $Main (func (export "run") (result i32) unreachable)
    (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
  (core instance $main (instantiate $Main))
  (func $run async (canon lift (core func $main "run") async
    (callback (core func $main "callback"))))
  (export "run" (func $run)))
