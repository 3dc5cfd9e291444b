(component (import "gristmill:job/types@0.1.0" (instance
