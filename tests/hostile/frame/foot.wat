  (instance $handler (export "handle" (func $handle)))
  (export "gristmill:job/handler@0.1.0" (instance $handler)))
