//! The head of a file of compiled code: what it is of, and a hash over that and the code.

use bytes::Bytes;
use gristmill_job::Digest;
use sha2::{Digest as _, Sha256};

use crate::compile::Compatibility;

/// What the file is, and the form of its head.
const MAGIC: &[u8; 8] = b"gristc\0\x01";
/// Magic, compatibility, digest, and the hash.
pub(super) const HEADER_BYTES: usize = 8 + 3 * 32;

/// The head for this code.
pub(super) fn header(code: &[u8], compatibility: Compatibility, digest: Digest) -> Vec<u8> {
    let mut header = [&MAGIC[..], &compatibility.0, digest.as_bytes()].concat();
    let seal = hash(&header, code);
    header.extend(seal);
    header
}

/// The code, if it is what was sealed for this component and engine.
pub(super) fn open(
    bytes: Bytes,
    compatibility: Compatibility,
    digest: Digest,
) -> Result<Bytes, &'static str> {
    let Some((header, code)) = bytes.split_at_checked(HEADER_BYTES) else {
        return Err("is cut off");
    };
    let (named, seal) = header.split_at(HEADER_BYTES - 32);
    if named != [&MAGIC[..], &compatibility.0, digest.as_bytes()].concat() {
        return Err("is of another component, engine or form");
    }
    if seal != hash(named, code) {
        return Err("was altered");
    }
    Ok(bytes.slice(HEADER_BYTES..))
}

fn hash(named: &[u8], code: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(named).chain_update(code).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Compatibility = Compatibility([7; 32]);

    fn sealed() -> Vec<u8> {
        [header(b"code", HERE, Digest::of(b"component")), b"code".to_vec()].concat()
    }

    #[test]
    fn a_byte_that_was_altered_anywhere_breaks_the_seal() {
        let opened = open(sealed().into(), HERE, Digest::of(b"component"));
        assert_eq!(opened, Ok(Bytes::from_static(b"code")));
        for at in 0..sealed().len() {
            let mut altered = sealed();
            altered[at] ^= 1;
            assert!(open(altered.into(), HERE, Digest::of(b"component")).is_err(), "{at}");
            let cut = sealed()[..at].to_vec();
            assert!(open(cut.into(), HERE, Digest::of(b"component")).is_err(), "{at}");
        }
    }

    #[test]
    fn a_seal_is_of_one_component_and_one_engine() {
        assert!(open(sealed().into(), HERE, Digest::of(b"other")).is_err());
        assert!(open(sealed().into(), Compatibility([8; 32]), Digest::of(b"component")).is_err());
    }
}
