//! Putting files where a daemon may be watching.

use std::fs;
use std::io;
use std::path::Path;

/// Puts a component into its place with its manifest, or without one. Each is there whole or not at all, and
/// what has not changed is not touched.
pub(super) fn component(made: &Path, manifest: Option<&Path>, placed: &Path) -> io::Result<()> {
    if let Some(folder) = placed.parent() {
        fs::create_dir_all(folder)?;
    }
    // The manifest first, since a component without its grants would run without them.
    let beside = placed.with_extension("toml");
    match manifest {
        Some(manifest) => file(manifest, &beside)?,
        None => match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        },
    }
    file(made, placed)
}

fn file(from: &Path, to: &Path) -> io::Result<()> {
    let data = fs::read(from)?;
    if fs::read(to).is_ok_and(|there| there == data) {
        return Ok(());
    }
    // A name that nobody takes for a plugin's, in the same file system.
    let mut name = to.as_os_str().to_owned();
    name.push(".new");
    fs::write(&name, data)?;
    fs::rename(&name, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_has_the_manifest_that_came_with_it_last() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("made"), "component").unwrap();
        fs::write(at("plugin.toml"), "version = \"1\"").unwrap();
        let placed = at("out/echo.wasm");
        component(&at("made"), Some(&at("plugin.toml")), &placed).unwrap();
        assert_eq!(fs::read_to_string(at("out/echo.toml")).unwrap(), "version = \"1\"");
        component(&at("made"), None, &placed).unwrap();
        assert_eq!(fs::read_to_string(&placed).unwrap(), "component");
        assert_eq!(fs::read_dir(at("out")).unwrap().count(), 1);
    }
}
