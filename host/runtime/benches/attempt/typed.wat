;; Functions with types of their own that give back what they are given, with as little work as can be.
(component
  (type $r (record
    (field "a" string) (field "b" string) (field "c" string) (field "d" string) (field "e" string)
    (field "f" string) (field "g" string) (field "h" u32) (field "i" u32) (field "j" f64)))
  (export $record "ten" (type $r))
  (core module $m
    (memory (export "memory") 80)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
      (global.set $next (i32.add (local.get $at) (local.get $size)))
      (local.get $at))
    ;; More than 16 flat values go through memory.
    (func (export "same") (param i32) (result i32) (local.get 0))
    (func (export "pair") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.const 16)))
  (core instance $i (instantiate $m))
  (func $echo (param "value" $record) (result $record)
    (canon lift (core func $i "same") (memory (core memory $i "memory"))
      (realloc (core func $i "realloc"))))
  (func $bytes (param "data" (list u8)) (result (list u8))
    (canon lift (core func $i "pair") (memory (core memory $i "memory"))
      (realloc (core func $i "realloc"))))
  (export "record" (func $echo))
  (export "bytes" (func $bytes)))
