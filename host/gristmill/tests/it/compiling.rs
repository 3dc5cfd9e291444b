//! The compiler's process and its bounds, as an embedder and the daemon have them.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use gristmill::runtime::{Allocator, CompileLimits, Compiler, CompilerChild, Config};
use gristmill::{Host, LoadError, NewJob, OutcomeKind, Payload, PluginName};

use crate::command::{gristmill, root};
use crate::served::{Daemon, folder};

/// So long that no debug build on a busy machine takes longer to compile a small plugin.
const PATIENCE: Duration = Duration::from_secs(120);

/// A component of a hundred thousand functions, which takes a minute of a processor in a debug build.
fn bomb() -> Vec<u8> {
    let function =
        "(func (param i32) (result i32) local.get 0 local.get 0 i32.mul i32.const 7 i32.xor)\n";
    format!("(component (core module {}))", function.repeat(100_000)).into_bytes()
}

fn child(limits: CompileLimits) -> CompilerChild {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_gristmill"));
    CompilerChild { program, arguments: vec!["compile-plugin".into()], limits }
}

async fn host(compiler: CompilerChild) -> Host {
    let compiler = Compiler::Child(compiler);
    let allocator = Some(Allocator::OnDemand);
    let config = Config { compiler, allocator, ..Config::default() };
    Host::builder().runtime_config(config).concurrency(1).build().await.unwrap()
}

fn name(text: &str) -> PluginName {
    text.parse().unwrap()
}

fn echo() -> Vec<u8> {
    std::fs::read(root().join("target/plugins/echo.wasm")).unwrap()
}

async fn load(host: &Host, bytes: Vec<u8>) -> Result<(), LoadError> {
    match host.load(name("it"), bytes).await {
        Ok(_) => Ok(()),
        Err(gristmill::Error::Plugin { source, .. }) => Err(source),
        Err(other) => panic!("{other}"),
    }
}

async fn check_ends(limits: CompileLimits, bytes: Vec<u8>, by: &str) {
    let host = host(child(limits)).await;
    match load(&host, bytes).await {
        Err(LoadError::CompileLimit { limit, .. }) => assert_eq!(limit, by),
        other => panic!("{by} should have ended it: {other:?}"),
    }
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_compile_bomb_is_ended_by_the_limit_that_it_runs_into() {
    let limits = || CompileLimits { wall: PATIENCE, ..CompileLimits::default() };
    check_ends(CompileLimits { cpu: Duration::from_secs(1), ..limits() }, bomb(), "cpu").await;
    check_ends(CompileLimits { wall: Duration::from_millis(500), ..limits() }, bomb(), "wall")
        .await;
    check_ends(CompileLimits { memory_bytes_max: 64 << 20, ..limits() }, bomb(), "memory").await;
    check_ends(CompileLimits { code_bytes_max: 1_000, ..limits() }, echo(), "code").await;
}

/// It is read whole before it is looked at, and what doesn't fit is told from a broken compiler.
#[tokio::test]
async fn a_component_larger_than_the_compilers_memory_is_ended_by_that_limit() {
    let limits = CompileLimits { memory_bytes_max: 24 << 20, ..CompileLimits::default() };
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    component.resize(32 << 20, 0);
    check_ends(limits, component, "memory").await;
}

#[tokio::test]
async fn after_a_compile_bomb_the_host_goes_on() {
    let limits = CompileLimits { cpu: Duration::from_secs(2), ..CompileLimits::default() };
    let host = host(child(limits)).await;
    host.start();
    let ended = load(&host, bomb()).await;
    assert!(matches!(ended, Err(LoadError::CompileLimit { limit: "cpu", .. })), "{ended:?}");
    host.load(name("echo"), echo()).await.unwrap();
    let id = host.enqueue(NewJob::new(name("echo"), Payload::text("x"))).await.unwrap();
    let job = host.wait(id, PATIENCE).await.unwrap().unwrap();
    assert_eq!(job.outcome, Some(OutcomeKind::Completed));
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_component_is_as_invalid_in_the_child_as_it_is_here() {
    let host = host(child(CompileLimits::default())).await;
    let whole = echo();
    let ended = load(&host, whole[..whole.len() / 2].to_vec()).await;
    assert!(matches!(ended, Err(LoadError::Invalid(_))), "{ended:?}");
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_program_that_is_no_compiler_is_told_from_a_broken_component() {
    for (program, says) in [("/nowhere/compiler", "can't be run"), ("/bin/echo", "is no compiler")]
    {
        let program = PathBuf::from(program);
        let host = host(CompilerChild { program, ..child(CompileLimits::default()) }).await;
        match load(&host, echo()).await {
            Err(LoadError::Compiler(why)) => assert!(why.contains(says), "{why}"),
            other => panic!("{other:?}"),
        }
        host.shutdown().await.unwrap();
    }
}

#[test]
fn the_daemon_keeps_what_it_compiles_in_its_state_folder() {
    let state = tempfile::tempdir().unwrap();
    let dir = state.path().to_str().unwrap();
    let mut daemon = Daemon::start(folder(&["plugins/echo.wasm"]), &["--state-dir", dir]);
    daemon.running.until("plugin echo sha256:");
    daemon.running.signal("TERM");
    assert_eq!(daemon.end().code, Some(0));
    assert_eq!(std::fs::read_dir(state.path().join("compiled")).unwrap().count(), 1);
}

#[test]
fn the_compiler_is_no_command_for_people() {
    let help = gristmill(&["--help"]).output().unwrap();
    assert!(!String::from_utf8(help.stdout).unwrap().contains("compile-plugin"));
}

/// A file system of so few bytes, until this is dropped.
struct Tiny(tempfile::TempDir);

impl Tiny {
    fn mount(bytes: u64) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={bytes},mode=700");
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path());
        match command.output() {
            Ok(mounted) if mounted.status.success() => Ok(Self(folder)),
            Ok(mounted) => Err(String::from_utf8_lossy(&mounted.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        // A panic here would hide the test's own; what stays mounted is seen in its folder.
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "whoever runs the tests must know what wasn't tested")]
fn a_full_disk_costs_the_code_that_would_be_kept_and_nothing_else() {
    let tiny = match Tiny::mount(64 << 10) {
        Ok(tiny) => tiny,
        Err(why) => {
            eprintln!("SKIPPED: no file system can be mounted, which takes root: {why}");
            return;
        }
    };
    let dir = tiny.0.path();
    let state = ["--state-dir", dir.to_str().unwrap()];
    // Twice: what the first one left must not be in the second one's way.
    for _ in 0..2 {
        let mut daemon = Daemon::start(folder(&["plugins/echo.wasm"]), &state);
        let said = daemon.running.until("compiled code can't be kept in");
        assert!(said.contains("No space left") && said.contains("in memory alone"), "{said}");
        let waited = daemon.run(&["enqueue", "echo", "--input", "still here", "--wait"]);
        assert_eq!(waited.completed(), "still here");
        daemon.running.signal("TERM");
        assert_eq!(daemon.end().code, Some(0));
        assert_eq!(std::fs::read_dir(dir.join("compiled")).unwrap().count(), 0);
    }
}
