//! The smallest plugin: what a job costs without any work of its own.

use gristmill_guest::prelude::*;

/// Gives its payload back as it came.
#[job]
fn echo(input: Payload) -> JobResult<Payload> {
    Ok(input)
}

gristmill_guest::export!(echo);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_comes_back_as_it_was() {
        let picture = Payload::new("image/png", [0x89, b'P', b'N', b'G', 0, 255]);
        assert_eq!(TestHost::new().run::<echo>(picture.clone()), Ok(picture));
    }
}
