//! What serves after something was written to the folder, and what doesn't.

use std::process::Command;

use gristmill_job::{Digest, OutcomeKind};
use gristmill_runtime::{Config, LoadError};
use gristmill_worker::Event;

use super::farm::{Farm, a_mill_job, gated, mill, put, tiny};

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_run_end_on_the_old_version_and_later_ones_take_the_new() {
    let old = gated();
    let mut farm = Farm::start(&old).await;
    let gate = farm.close_gate().await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(farm.enqueue(a_mill_job()).await);
    }
    for _ in &held {
        farm.until_event(|event| matches!(event, Event::AttemptStarted { .. })).await;
    }
    farm.put("mill.wasm", &tiny(2));
    farm.until_serving(&tiny(2)).await;
    for _ in 0..20 {
        assert_eq!(farm.run(a_mill_job()).await, Some(Digest::of(&tiny(2))));
    }
    farm.open_gate(gate).await;
    for id in held {
        let job = farm.end_of(id).await;
        assert_eq!((job.outcome, job.attempt), (Some(OutcomeKind::Completed), 1));
        assert_eq!(job.digest, Some(Digest::of(&old)));
    }
    farm.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_ran_the_old_version_last_runs_the_new_one_next() {
    let farm = Farm::start(&tiny(1)).await;
    for version in 1..4 {
        for _ in 0..20 {
            assert_eq!(farm.run(a_mill_job()).await, Some(Digest::of(&tiny(version))));
        }
        farm.put("mill.wasm", &tiny(version + 1));
        farm.until_serving(&tiny(version + 1)).await;
    }
    farm.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_new_version_leaves_the_old_one_serving_and_says_what_is_wrong() {
    let farm = Farm::start(&tiny(1)).await;
    let needy = r#"(component (import "acme:mail/send@1.0.0" (instance)))"#;
    let large = vec![b';'; Config::default().component_bytes_max + 1];
    for (name, bytes, says) in [
        ("mill.wasm", &b"dear diary"[..], "but a text file"),
        ("mill.wasm", b"", "but an empty file"),
        ("mill.wasm", &gated()[..5_000], "the component is invalid"),
        ("mill.wasm", needy.as_bytes(), "imports \"acme:mail/send@1.0.0\""),
        ("mill.wasm", &large, "are more than a component may have"),
        ("mill.toml", b"[grants]\nlunch = true\n", "mill.toml can't be used"),
    ] {
        farm.put(name, bytes);
        let is_told = |fault: Option<String>| fault.is_some_and(|fault| fault.contains(says));
        farm.until(|plugins| is_told(plugins.fault(&mill()))).await;
        assert_eq!(farm.run(a_mill_job()).await, Some(Digest::of(&tiny(1))), "{says}");
        if name == "mill.toml" {
            std::fs::remove_file(farm.folder().join(name)).expect("it is there");
        }
        farm.put("mill.wasm", &tiny(1));
        farm.until_serving(&tiny(1)).await;
    }
    farm.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_pipe_is_no_plugin_and_holds_nobody_up() {
    let farm = Farm::start(&tiny(1)).await;
    let pipe = farm.folder().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    std::fs::rename(pipe, farm.folder().join("mill.wasm")).expect("it is renamed");
    let is_told = |fault: Option<String>| fault.is_some_and(|f| f.contains("no regular file"));
    farm.until(|plugins| is_told(plugins.fault(&mill()))).await;
    assert_eq!(farm.run(a_mill_job()).await, Some(Digest::of(&tiny(1))));
    farm.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_manifest_is_taken_over_by_itself() {
    let farm = Farm::start(&tiny(1)).await;
    farm.put("mill.toml", b"[grants.cache]\nrates = \"read-only\"\n");
    let granted = |count| {
        farm.until(move |plugins| {
            plugins.loaded(&mill()).is_some_and(|plugin| plugin.grants().cache.len() == count)
        })
    };
    granted(1).await;
    std::fs::remove_file(farm.folder().join("mill.toml")).expect("it is there");
    granted(0).await;
    assert_eq!(farm.run(a_mill_job()).await, Some(Digest::of(&tiny(1))));
    farm.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_plugin_is_not_there_for_new_jobs_and_those_that_run_end() {
    let mut farm = Farm::start(&gated()).await;
    let gate = farm.close_gate().await;
    let held = farm.enqueue(a_mill_job()).await;
    farm.until_event(|event| matches!(event, Event::AttemptStarted { .. })).await;
    std::fs::remove_file(farm.folder().join("mill.wasm")).expect("it is there");
    farm.until(|plugins| plugins.loaded(&mill()).is_none()).await;
    assert!(matches!(farm.plugins.get(&mill()).await, Err(LoadError::NotFound { .. })));
    let late = farm.enqueue(a_mill_job()).await;
    let released = farm.until_event(|event| matches!(event, Event::Released { .. })).await;
    let Event::Released { job, reason, .. } = released else { unreachable!() };
    assert_eq!(job.id, late);
    assert!(reason.contains("no plugin \"mill\""), "{reason}");
    farm.open_gate(gate).await;
    assert_eq!(farm.end_of(held).await.digest, Some(Digest::of(&gated())));
    // It may come back, and then the job that waited for it is done.
    farm.put("mill.wasm", &tiny(2));
    assert_eq!(farm.end_of(late).await.digest, Some(Digest::of(&tiny(2))));
    farm.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_away_takes_nothing_with_it_and_is_followed_again_when_it_is_back() {
    let farm = Farm::start(&tiny(1)).await;
    std::fs::rename(farm.folder(), farm.beside()).expect("it is moved");
    farm.until(|plugins| plugins.folder_fault().is_some()).await;
    assert_eq!(farm.run(a_mill_job()).await, Some(Digest::of(&tiny(1))));
    assert_eq!(farm.plugins.names().expect("those that serve"), [mill()]);
    put(&farm.beside(), "mill.wasm", &tiny(2));
    std::fs::rename(farm.beside(), farm.folder()).expect("it is moved back");
    farm.until_serving(&tiny(2)).await;
    assert_eq!(farm.plugins.folder_fault(), None);
    farm.put("mill.wasm", &tiny(3));
    farm.until_serving(&tiny(3)).await;
    farm.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_folder_in_the_place_of_the_first_is_followed() {
    let farm = Farm::start(&tiny(1)).await;
    let next = farm.folder().with_file_name("next");
    std::fs::create_dir(&next).expect("a folder");
    put(&next, "mill.wasm", &tiny(2));
    std::fs::rename(farm.folder(), farm.beside()).expect("it is moved");
    std::fs::rename(next, farm.folder()).expect("it takes its place");
    farm.until_serving(&tiny(2)).await;
    farm.put("mill.wasm", &tiny(3));
    farm.until_serving(&tiny(3)).await;
    farm.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_followed_and_taken_over_when_it_leads_elsewhere() {
    let farm = Farm::start(&tiny(1)).await;
    let (one, two) = (farm.beside(), farm.beside().with_extension("2"));
    std::fs::write(&one, tiny(2)).expect("a file");
    std::fs::write(&two, tiny(3)).expect("a file");
    for (target, version) in [(&one, 2), (&two, 3)] {
        let link = farm.folder().join("link");
        std::os::unix::fs::symlink(target, &link).expect("a link");
        std::fs::rename(link, farm.folder().join("mill.wasm")).expect("it is put in its place");
        farm.until_serving(&tiny(version)).await;
    }
    farm.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_content_again_changes_nothing() {
    let farm = Farm::unwatched(&tiny(1));
    let look = async || farm.plugins.rescan().await.expect("the folder is there");
    look().await;
    let mut changes = farm.plugins.changes();
    changes.mark_unchanged();
    for _ in 0..3 {
        farm.put("mill.wasm", &tiny(1));
        look().await;
    }
    assert!(!changes.has_changed().expect("the store is there"));
    farm.put("mill.wasm", &tiny(2));
    look().await;
    assert!(changes.has_changed().expect("the store is there"));
    farm.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_version_is_tried_once_and_no_more_until_it_changes() {
    let farm = Farm::unwatched(b"dear diary");
    let get = async || farm.plugins.get(&mill()).await;
    assert!(matches!(get().await, Err(LoadError::NotAComponent(_))));
    let again = get().await;
    assert!(matches!(again, Err(LoadError::AsBefore(_))), "{again:?}");
    farm.put("mill.wasm", &tiny(1));
    get().await.expect("it is mended");
    farm.stop().await;
}
