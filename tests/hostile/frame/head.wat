;; What every hostile component begins with: the contract's types. It is followed by imports.wat (where
;; the file uses them), std.wat, the component's own file, lift.wat and foot.wat; tests/src/hostile.rs
;; puts them together.
(component
  (import "gristmill:job/types@0.1.0" (instance $types
    (type $payload' (record (field "content-type" string) (field "data" (list u8))))
    (export "payload" (type $payload (eq $payload')))
    (type $error' (variant
      (case "access-denied" string) (case "invalid" string) (case "too-large" u64)
      (case "quota-exceeded" string) (case "unavailable" string)
      (case "other" (tuple string string))))
    (export "error" (type (eq $error')))
    (type $disposition' (variant (case "retry") (case "retry-after" u64) (case "fatal")))
    (export "disposition" (type $disposition (eq $disposition')))
    (type $failure' (record
      (field "message" string) (field "code" (option string))
      (field "detail" (option $payload)) (field "disposition" $disposition)))
    (export "failure" (type (eq $failure')))))
  (alias export $types "payload" (type $payload))
  (alias export $types "error" (type $error))
  (alias export $types "failure" (type $failure))
