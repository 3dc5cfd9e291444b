;; Is made for another world: it has a door, and none that a job could go through.
(component
  (core module $Main (func (export "handle")))
  (core instance $main (instantiate $Main))
  (func $handle (canon lift (core func $main "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))
