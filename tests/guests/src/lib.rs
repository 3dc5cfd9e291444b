//! Guests that the tests run, most of which misbehave on purpose: one file in `examples/` is one
//! component, whose function goes by the file's name unless the file says otherwise.
