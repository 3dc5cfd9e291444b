;; Is made for another world: it has a function, and none that a job could call.
(component
  (core module $Main (func (export "run")))
  (core instance $main (instantiate $Main))
  (func $run (canon lift (core func $main "run")))
  (export "run" (func $run)))
