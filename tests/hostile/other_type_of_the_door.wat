;; Has the contract's door, but takes nothing through it.
(component
  (core module $Main (func (export "handle")))
  (core instance $main (instantiate $Main))
  (func $handle (canon lift (core func $main "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "gristmill:job/handler@0.1.0" (instance $handler)))
