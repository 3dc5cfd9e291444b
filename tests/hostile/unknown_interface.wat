;; Wants an interface that nobody offers.
(component
  (import "acme:nuclear/launch@1.0.0" (instance
    (export "launch" (func)))))
