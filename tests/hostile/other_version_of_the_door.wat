;; Has the contract's door in a later version than there is.
(component
  (instance $handler)
  (export "gristmill:job/handler@9.0.0" (instance $handler)))
