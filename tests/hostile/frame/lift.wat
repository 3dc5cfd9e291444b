  ;; The door of the contract, over the core function `handle` of the instance `$main`.
  (func $handle (param "function" string) (param "input" $payload)
    (result (result (option $payload) (error $failure)))
    (canon lift (core func $main "handle")
      (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
