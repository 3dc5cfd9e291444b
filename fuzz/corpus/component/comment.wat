;; nothing but (component
