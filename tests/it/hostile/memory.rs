//! Components that want more than there is, and that reach for what isn't theirs.

use super::{Completed, Limited, Refused, TimedOut, Trapped, expect};

#[tokio::test]
pub(super) async fn grow_memory() {
    expect("grow_memory", Limited("memory")).await;
}

#[tokio::test]
pub(super) async fn grow_several_memories() {
    expect("grow_several_memories", Limited("memory")).await;
}

#[tokio::test]
pub(super) async fn grow_memory_and_complete() {
    expect("grow_memory_and_complete", Completed).await;
}

#[tokio::test]
pub(super) async fn gibibyte_at_start() {
    expect("gibibyte_at_start", Refused("memory")).await;
}

#[tokio::test]
pub(super) async fn four_gibibytes_at_start() {
    expect("four_gibibytes_at_start", Refused("invalid")).await;
}

#[tokio::test]
pub(super) async fn large_memories_at_start() {
    expect("large_memories_at_start", Limited("memory")).await;
}

#[tokio::test]
pub(super) async fn grow_table() {
    expect("grow_table", Limited("table_elements")).await;
}

#[tokio::test]
pub(super) async fn huge_table_at_start() {
    expect("huge_table_at_start", Refused("table_elements")).await;
}

#[tokio::test]
pub(super) async fn recurse_forever() {
    expect("recurse_forever", Limited("stack")).await;
}

#[tokio::test]
pub(super) async fn recurse_into_host() {
    expect("recurse_into_host", Limited("stack")).await;
}

#[tokio::test]
pub(super) async fn recurse_through_table() {
    expect("recurse_through_table", Limited("stack")).await;
}

#[tokio::test]
pub(super) async fn too_many_memories() {
    expect("too_many_memories", Refused("memories")).await;
}

#[tokio::test]
pub(super) async fn too_many_tables() {
    expect("too_many_tables", Refused("tables")).await;
}

#[tokio::test]
pub(super) async fn too_many_instances() {
    expect("too_many_instances", Limited("instances")).await;
}

#[tokio::test]
pub(super) async fn take_all_there_is() {
    expect("take_all_there_is", TimedOut).await;
}

#[tokio::test]
pub(super) async fn data_beyond_memory() {
    expect("data_beyond_memory", Trapped("memory-out-of-bounds")).await;
}

#[tokio::test]
pub(super) async fn elements_beyond_table() {
    expect("elements_beyond_table", Trapped("table-out-of-bounds")).await;
}

#[tokio::test]
pub(super) async fn read_beyond_memory() {
    expect("read_beyond_memory", Trapped("memory-out-of-bounds")).await;
}

#[tokio::test]
pub(super) async fn trap_at_once() {
    expect("trap_at_once", Trapped("unreachable")).await;
}

#[tokio::test]
pub(super) async fn call_nothing() {
    expect("call_nothing", Trapped("indirect-call-to-null")).await;
}

#[tokio::test]
pub(super) async fn misleading_name() {
    expect("misleading_name", Trapped("unreachable")).await;
}
