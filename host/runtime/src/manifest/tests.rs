//! What a manifest may say, and what is answered to anything else.

use gristmill_job::BucketName;

use super::*;
use crate::grants::Access;

#[track_caller]
fn check_faulty(text: &str, expected: &str) {
    assert_eq!(Manifest::parse(text.as_bytes()), Err(expected.to_owned()));
}

#[test]
fn a_manifest_grants_buckets() {
    let text = "[grants.cache]\nrates = 'read-only'\n\"a.b\" = \"read-write\"\n";
    let grants = Manifest::parse(text.as_bytes()).unwrap().grants;
    let granted = |name| grants.cache.get(&BucketName::new(name).unwrap());
    assert_eq!(granted("rates"), Some(&Access::ReadOnly));
    assert_eq!(granted("a.b"), Some(&Access::ReadWrite));
    assert_eq!(granted("a"), None);
}

#[test]
fn a_manifest_that_says_nothing_grants_nothing() {
    for text in ["", "# nothing\n", "[grants]\n", "[grants.cache]\n"] {
        assert_eq!(Manifest::parse(text.as_bytes()), Ok(Manifest::default()), "{text:?}");
    }
}

#[test]
fn a_fault_is_told_with_its_line_and_with_what_is_allowed() {
    check_faulty(
        "[grants.cache]\nshop = \"write\"\n",
        "line 2, `shop = \"write\"`: invalid value: string \"write\", expected \"read-only\" or \
         \"read-write\"",
    );
    check_faulty(
        "[grants.cache]\n\nshop = true",
        "line 3, `shop = true`: invalid type: boolean `true`, expected \"read-only\" or \
         \"read-write\"",
    );
    check_faulty(
        "[grants.cache]\n\"a:b\" = \"read-only\"",
        "line 2, `\"a:b\" = \"read-only\"`: \"a:b\" is no bucket name: letters, digits, `.`, `_` \
         and `-`, a letter or digit first, at most 63",
    );
    check_faulty(
        "[grant.cache]\nshop = \"read-only\"",
        "line 1, `[grant.cache]`: unknown field `grant`, expected `grants`",
    );
    check_faulty(
        "[grants.cash]\nshop = \"read-only\"",
        "line 1, `[grants.cash]`: unknown field `cash`, expected `cache`",
    );
    check_faulty(
        "[grants.cache]\nshop = \"read-only\"\nshop = \"read-write\"",
        "line 3, `shop = \"read-write\"`: duplicate key",
    );
}

#[test]
fn what_is_no_manifest_at_all_is_told_apart() {
    assert!(Manifest::parse(b"\xff\xfe").unwrap_err().contains("UTF-8"));
    let large = vec![b'#'; 64 << 10];
    assert_eq!(Manifest::parse(&large), Ok(Manifest::default()));
    assert!(Manifest::parse(&[large, vec![b'#']].concat()).unwrap_err().contains("65536"));
    assert!(Manifest::parse(b"gristmill").unwrap_err().starts_with("line 1, `gristmill`: "));
}

#[test]
fn the_manifest_is_looked_for_beside_the_component() {
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("shop.wasm");
    assert_eq!(Manifest::beside(&component).unwrap(), Manifest::default());
    let path = folder.path().join("shop.toml");
    std::fs::write(&path, "[grants.cache]\nshop = \"read-only\"").unwrap();
    assert_eq!(Manifest::beside(&component).unwrap().grants.cache.len(), 1);
    std::fs::write(&path, "grants = 1").unwrap();
    let error = Manifest::beside(&component).unwrap_err().to_string();
    assert!(error.contains(path.to_str().unwrap()) && error.contains("`grants = 1`"), "{error}");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(Manifest::beside(&component), Err(LoadError::Manifest { .. })));
}
