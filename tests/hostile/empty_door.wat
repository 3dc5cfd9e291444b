;; Has the contract's door, and nothing behind it.
(component
  (instance $handler)
  (export "gristmill:job/handler@0.1.0" (instance $handler)))
