//! Code that is kept: found again, or rejected and made anew.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use gristmill_job::OutcomeKind;
use gristmill_runtime::{Allocator, Compiler, CompilerChild, Config, LoadError, Plugin};
use gristmill_tests::Sandbox;
use tempfile::TempDir;

use super::farm::{a_mill_job, mill, tiny};

fn sandbox(dir: &Path, compiler: Compiler) -> Sandbox {
    Sandbox::with_config(Config {
        slots: 4,
        allocator: Some(Allocator::OnDemand),
        compiler,
        compiled_dir: Some(dir.to_owned()),
        ..Config::default()
    })
}

/// A sandbox that starts anew, and has no compiler: what it loads was kept.
fn without_compiler(dir: &Path) -> Sandbox {
    let (program, arguments) = (PathBuf::from("/nowhere/compiler"), Vec::new());
    let child = CompilerChild { program, arguments, limits: Default::default() };
    sandbox(dir, Compiler::Child(child))
}

async fn load(sandbox: &Sandbox) -> Result<Plugin, LoadError> {
    sandbox.runtime.load(mill(), tiny(1).into()).await
}

async fn check_runs(sandbox: &Sandbox, plugin: &Plugin) {
    let report = sandbox.attempt(plugin, a_mill_job(), 1, None).await;
    assert_eq!(report.outcome.kind(), OutcomeKind::Completed, "{:?}", report.outcome);
}

async fn check_is_kept(dir: &Path) {
    let sandbox = without_compiler(dir);
    check_runs(&sandbox, &load(&sandbox).await.expect("it is kept")).await;
}

async fn check_is_not_used(dir: &Path) {
    let refused = load(&without_compiler(dir)).await;
    assert!(matches!(refused, Err(LoadError::Compiler(_))), "{refused:?}");
}

/// A folder of compiled code with one file in it.
struct Kept {
    top: TempDir,
    file: PathBuf,
}

impl Kept {
    async fn new() -> Self {
        let top = tempfile::tempdir().expect("a folder");
        let sandbox = sandbox(&top.path().join("compiled"), Compiler::InProcess);
        check_runs(&sandbox, &load(&sandbox).await.expect("it loads")).await;
        let files = fs::read_dir(top.path().join("compiled")).expect("the folder");
        let files: Vec<PathBuf> = files.map(|entry| entry.expect("an entry").path()).collect();
        let [file] = &files[..] else { panic!("one file is kept: {files:?}") };
        Self { file: file.clone(), top }
    }

    fn dir(&self) -> PathBuf {
        self.top.path().join("compiled")
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
}

#[tokio::test]
async fn what_was_compiled_is_found_at_the_next_start() {
    let kept = Kept::new().await;
    assert_eq!((mode(&kept.dir()), mode(&kept.file)), (0o700, 0o600));
    check_is_kept(&kept.dir()).await;
}

#[tokio::test]
async fn code_with_one_byte_altered_is_rejected_and_made_anew() {
    let kept = Kept::new().await;
    let sound = fs::read(&kept.file).expect("the file");
    for at in [0, 20, 50, 90, 200, sound.len() / 2, sound.len() - 1] {
        let mut altered = sound.clone();
        altered[at] ^= 0x10;
        fs::write(&kept.file, &altered).expect("the file");
        check_is_not_used(&kept.dir()).await;
        fs::write(&kept.file, &altered).expect("the file");
        let again = sandbox(&kept.dir(), Compiler::InProcess);
        check_runs(&again, &load(&again).await.expect("it is compiled anew")).await;
        check_is_kept(&kept.dir()).await;
    }
    fs::write(&kept.file, &sound[..sound.len() - 1]).expect("the file");
    check_is_not_used(&kept.dir()).await;
}

#[tokio::test]
async fn a_file_that_others_may_write_to_is_not_used() {
    let kept = Kept::new().await;
    set_mode(&kept.file, 0o622);
    check_is_not_used(&kept.dir()).await;
    set_mode(&kept.file, 0o600);
    check_is_kept(&kept.dir()).await;
}

#[tokio::test]
async fn a_link_in_the_place_of_a_file_is_not_followed() {
    let kept = Kept::new().await;
    let elsewhere = kept.top.path().join("elsewhere");
    fs::rename(&kept.file, &elsewhere).expect("it is moved");
    symlink(&elsewhere, &kept.file).expect("a link");
    check_is_not_used(&kept.dir()).await;
}

#[tokio::test]
async fn a_folder_that_others_may_write_to_is_not_used() {
    let kept = Kept::new().await;
    set_mode(&kept.dir(), 0o770);
    check_is_not_used(&kept.dir()).await;
    fs::remove_file(&kept.file).expect("it is there");
    let sandbox = sandbox(&kept.dir(), Compiler::InProcess);
    check_runs(&sandbox, &load(&sandbox).await.expect("it loads")).await;
    assert!(!kept.file.exists(), "nothing is written there either");
}

#[tokio::test]
async fn a_folder_that_others_may_read_is_closed_to_them() {
    let kept = Kept::new().await;
    set_mode(&kept.dir(), 0o755);
    check_is_kept(&kept.dir()).await;
    assert_eq!(mode(&kept.dir()), 0o700);
}

#[tokio::test]
async fn a_plugin_serves_from_memory_where_its_code_can_not_be_kept() {
    let top = tempfile::tempdir().expect("a folder");
    let file = top.path().join("file");
    fs::write(&file, "no folder").expect("a file");
    let sandbox = sandbox(&file.join("compiled"), Compiler::InProcess);
    check_runs(&sandbox, &load(&sandbox).await.expect("it loads all the same")).await;
}
