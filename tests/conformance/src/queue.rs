//! The rules of queues.

mod absolve;
mod assign;
mod cancel;
mod change;
mod enqueue;
mod fixture;
mod follow_ups;
mod leases;
mod listing;
mod model;
mod notes;
mod order;
mod recover;
mod retention;
mod run;
mod schedule;
mod settle;
mod status;
mod unique;
mod wait;
mod worker;

pub use fixture::{QueueBackend, QueueFixture, check};
pub use model::follow_the_model;

crate::list::suite! {
    $, queue, QueueFixture;

    enqueue {
        a_new_job_waits_with_all_that_its_producer_gave,
        verdicts_come_in_the_order_of_the_batch,
        a_batch_may_mix_queues,
        a_repeated_id_is_a_duplicate,
        an_id_twice_in_a_batch_is_a_duplicate,
        an_id_is_known_after_its_job_has_ended,
        a_batch_above_its_bound_is_refused_whole,
        an_empty_batch_is_no_fault,
        a_full_queue_refuses_by_number,
        a_full_queue_refuses_by_bytes,
        scheduled_jobs_fill_a_queue_too,
        a_duplicate_is_told_where_the_queue_is_full,
        a_leased_job_makes_room,
        a_full_queue_leaves_others_open,
        any_bytes_come_through,
    }
    order {
        jobs_of_a_class_go_in_the_order_of_enqueueing,
        a_more_urgent_class_goes_first,
        one_pick_in_sixteen_goes_to_a_lower_class,
        no_class_starves,
        a_promoted_job_goes_behind_what_waits,
        a_requeued_job_goes_behind_what_waits,
        a_released_job_goes_before_what_waits,
    }
    schedule {
        a_delayed_job_waits_for_its_time,
        a_time_in_the_past_is_now,
        a_cycle_tells_when_the_next_job_is_due,
        due_jobs_go_in_the_order_of_their_times,
        a_cycle_promotes_a_bounded_number,
        a_job_runs_at_its_very_millisecond,
    }
    leases {
        a_leased_job_is_hidden,
        a_lease_counts_an_attempt,
        a_cycle_leases_what_is_wanted_and_says_that_there_is_more,
        a_cycle_leases_no_more_than_a_batch,
        a_cycle_that_wants_nothing_gets_nothing,
        bytes_bound_what_a_cycle_leases,
        bytes_bound_jobs_that_come_back_too,
        the_first_job_comes_whatever_it_weighs,
        queues_do_not_share_their_jobs,
        many_workers_never_get_the_same_job,
        a_renewed_lease_does_not_lapse,
        a_lapsed_worker_is_named_to_the_others,
        a_lapsed_worker_that_nobody_reaped_goes_on,
        a_worker_without_a_lease_that_claims_a_job_is_refused,
    }
    settle {
        a_completed_job_shows_what_it_came_to,
        a_failed_job_shows_why,
        a_retried_job_waits_and_counts_a_failure,
        a_retry_without_a_wait_runs_in_the_same_cycle,
        a_job_that_is_completed_after_all_shows_no_error,
        a_release_counts_as_nothing,
        a_late_release_waits,
        a_job_is_settled_once,
        a_settlement_twice_in_a_cycle_counts_once,
        another_worker_may_not_settle,
        another_attempt_may_not_be_settled,
        another_queue_may_not_settle,
        an_unknown_job_may_not_be_settled,
        verdicts_of_a_batch_are_apart,
        settlements_above_their_bound_are_refused_whole,
        the_version_that_ran_last_is_kept,
    }
    follow_ups {
        follow_ups_are_enqueued_with_the_settlement,
        follow_ups_may_go_to_another_queue,
        follow_ups_are_taken_where_the_queue_is_full,
        a_follow_up_may_take_its_parents_unique_key,
        a_refused_settlement_enqueues_nothing,
        a_repeated_follow_up_is_harmless,
    }
    notes {
        progress_is_shown_while_the_attempt_runs,
        a_checkpoint_reaches_the_next_attempt,
        a_checkpoint_outlives_its_worker,
        a_checkpoint_is_gone_when_the_job_is_completed,
        log_lines_are_kept_in_order_over_all_attempts,
        log_lines_may_come_with_the_settlement,
        the_last_log_lines_are_kept,
        notes_of_others_are_dropped,
        notes_above_their_bound_are_refused_whole,
        a_job_without_a_log_has_an_empty_one,
    }
    recover {
        a_lapsed_lease_returns_the_job_to_the_head_of_its_line,
        a_running_lease_is_not_reaped,
        a_lease_lapses_at_its_very_end,
        a_reaping_is_bounded_and_goes_on,
        a_reaped_worker_is_refused_for_ever,
        a_reaped_workers_settlement_changes_nothing,
        a_job_that_killed_three_workers_is_poisoned,
        a_poisoned_job_may_be_requeued,
        a_job_that_is_being_cancelled_ends_when_its_worker_dies,
        a_reaping_of_a_stranger_does_nothing,
        a_resync_returns_what_the_worker_does_not_know,
        a_resync_names_what_the_worker_lost,
        a_resync_renews_nothing,
        a_resync_ends_what_is_being_cancelled,
        a_resync_may_be_repeated,
        a_cycle_asks_for_a_resync_where_counts_differ,
    }
    absolve {
        a_worker_that_lives_takes_its_crashes_back,
        a_crash_is_taken_back_once,
        a_crash_is_taken_back_by_its_own_worker_and_attempt_alone,
        a_job_that_lapsed_again_since_keeps_its_crashes,
        a_job_that_runs_again_has_its_crash_taken_back,
        a_job_that_was_retried_since_has_its_crash_taken_back,
        a_poisoned_job_stays_failed,
        a_requeued_job_stays_at_zero,
        a_finished_job_keeps_its_crashes,
        a_worker_that_was_not_reaped_has_nothing_to_take_back,
        more_than_a_batch_is_not_absolved,
    }
    unique {
        a_unique_key_admits_one_job,
        a_conflict_names_the_owner_within_a_batch_too,
        a_repeated_enqueue_does_not_conflict_with_itself,
        keys_are_apart_by_queue_plugin_and_function,
        a_key_is_held_while_its_job_waits_runs_and_is_retried,
        a_completed_job_gives_its_key_up,
        a_failed_job_gives_its_key_up,
        a_poisoned_job_gives_its_key_up,
        a_cancelled_job_gives_its_key_up,
        a_removed_job_gives_its_key_up,
        a_removed_job_leaves_another_owners_key_alone,
        a_requeued_job_takes_its_key_again,
        a_requeue_is_refused_where_the_key_is_taken,
    }
    cancel {
        a_waiting_job_is_cancelled_at_once,
        a_scheduled_job_is_cancelled_at_once,
        a_cancelled_job_is_never_leased,
        a_running_job_is_cancelled_by_its_worker,
        a_cancel_request_is_repeated_until_it_is_settled,
        cancelling_twice_is_harmless,
        a_release_of_a_job_that_is_being_cancelled_ends_it,
        a_retry_of_a_job_that_is_being_cancelled_ends_it,
        a_job_that_completes_before_it_is_cancelled_is_completed,
        a_job_cancelled_before_it_started_counts_no_attempt,
        a_finished_job_refuses_to_be_cancelled,
        an_unknown_job_is_not_found,
    }
    change {
        a_failed_job_runs_again_with_its_counters_at_zero,
        a_cancelled_job_runs_again,
        only_failed_and_cancelled_jobs_are_requeued,
        a_removed_job_is_gone_and_its_id_free,
        a_removed_job_is_never_leased,
        a_running_job_refuses_to_be_removed,
        a_job_removed_and_enqueued_again_runs_once,
        clearing_failed_jobs_leaves_all_others,
        all_failed_jobs_of_a_queue_run_again,
        failed_jobs_of_one_plugin_run_again,
        a_failed_job_whose_key_is_taken_stays_where_others_run_again,
        a_paused_queue_leases_nothing_and_takes_everything_else,
        a_resumed_queue_leases_again,
    }
    retention {
        a_result_is_kept_as_long_as_its_job_says,
        a_result_of_no_time_is_not_kept,
        results_that_are_not_kept_leave_nothing_and_the_others_stay,
        failed_and_cancelled_jobs_are_kept_for_their_age,
        the_oldest_finished_jobs_go_first,
        what_would_be_forgotten_next_makes_room,
        failed_jobs_are_bounded_apart,
        waiting_jobs_are_never_trimmed,
        an_id_is_free_again_once_its_record_is_forgotten,
        totals_outlive_the_records,
    }
    listing {
        the_newest_jobs_come_first,
        pages_cover_every_job_once,
        jobs_that_come_and_go_do_not_disturb_a_listing,
        jobs_are_listed_by_state,
        jobs_are_listed_by_plugin,
        a_page_is_bounded,
        a_foreign_cursor_is_refused,
        an_unused_queue_lists_nothing,
    }
    status {
        counts_add_up_in_every_state,
        totals_count_every_end,
        latency_is_the_age_of_the_oldest_ready_job,
        waiting_bytes_follow_the_line,
        used_queues_are_named_in_order,
        an_unused_queue_is_empty,
        the_back_end_says_what_it_is,
    }
    assign {
        a_job_that_comes_alone_reaches_a_worker_that_waits,
        what_was_assigned_comes_with_the_next_cycle_too,
        a_worker_with_room_is_called_for_the_next_job,
        each_worker_that_waits_gets_a_job,
        nothing_is_assigned_while_jobs_wait,
        who_does_not_want_it_is_assigned_nothing,
        a_worker_whose_lease_has_lapsed_is_assigned_nothing,
        what_was_assigned_goes_back_when_its_worker_dies,
        a_resync_gives_back_what_the_worker_did_not_get,
        a_resync_leaves_the_worker_what_it_got,
        what_was_assigned_can_be_cancelled,
        what_was_assigned_is_listed_as_running,
        a_large_job_is_got_as_well,
        a_job_that_is_due_later_is_not_assigned,
    }
    run {
        a_job_is_run_to_its_end,
        a_job_that_is_run_keeps_its_class,
        a_run_without_end_gives_the_job_as_it_is,
        a_duplicate_is_waited_for,
        what_is_not_taken_is_not_waited_for,
    }
    wait {
        a_waiting_client_hears_of_the_end_at_once,
        a_waiting_client_hears_of_every_kind_of_end,
        a_waiting_client_hears_of_a_result_that_is_not_kept,
        a_waiting_client_hears_of_a_removal,
        a_finished_job_needs_no_wait,
        patience_ends_with_the_job_as_it_is,
        an_unknown_job_is_not_waited_for,
        many_clients_may_wait_for_one_job,
        an_enqueue_wakes_a_worker,
        a_job_that_is_due_sooner_wakes_a_worker,
        a_worker_is_not_kept_from_work_that_is_there,
        a_cancel_request_wakes_the_worker_even_when_it_wants_nothing,
        a_cancel_request_before_the_wait_is_not_missed,
        a_resumed_queue_wakes_a_worker,
        a_released_job_wakes_another_worker,
        a_reaped_job_wakes_another_worker,
    }
}
