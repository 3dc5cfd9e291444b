//! The rules of caches.

mod batches;
mod conditions;
mod expiry;
mod fixture;
mod flights;
mod keys;
mod model;
mod numbers;
mod stats;
mod values;

pub use fixture::{CacheBackend, CacheFixture, check};
pub use model::follow_the_model;

crate::list::suite! {
    $, cache, CacheFixture;

    values {
        a_value_that_was_set_is_found,
        a_missing_key_has_no_value,
        a_value_is_replaced,
        a_deleted_entry_is_gone,
        any_bytes_are_kept,
        any_text_is_a_key,
        a_key_is_neither_empty_nor_long,
        a_value_above_its_bound_is_refused,
        spaces_do_not_see_each_other,
        an_entry_shows_its_version_and_time_to_live,
    }
    expiry {
        an_entry_stays_until_its_very_end,
        an_expired_entry_is_hidden_from_everything,
        an_expired_entry_counts_as_absent,
        a_time_to_live_of_nothing_stores_nothing,
        a_replaced_entry_forgets_its_time_to_live,
        a_touched_entry_has_a_new_time_to_live,
        a_touch_keeps_the_value,
    }
    conditions {
        an_absent_entry_is_set_where_it_must_be_absent,
        a_present_entry_is_set_where_it_must_be_present,
        one_of_many_finds_the_entry_absent,
        an_entry_is_swapped_by_its_version_only,
        a_missing_entry_is_swapped_by_no_version_only,
        an_entry_changed_and_changed_back_has_its_old_version,
        a_swapped_entry_has_its_own_time_to_live,
        concurrent_swaps_lose_nothing,
    }
    numbers {
        a_number_starts_from_zero,
        a_number_is_plain_text,
        what_is_no_number_stays_as_it_is,
        a_sum_that_does_not_fit_changes_nothing,
        a_time_to_live_is_set_at_creation_only,
        concurrent_increments_lose_nothing,
    }
    batches {
        values_come_in_the_order_of_their_keys,
        many_entries_are_set_at_once,
        one_value_too_large_keeps_all_others_out,
        many_deletes_count_what_was_there,
        batches_above_their_bound_are_refused_whole,
        empty_batches_are_no_fault,
    }
    keys {
        a_clear_takes_its_prefix_and_nothing_else,
        a_prefix_is_no_pattern,
        an_empty_prefix_clears_one_space,
        a_clear_of_many_keys_counts_them_all,
        a_scan_finds_every_key,
        a_page_of_keys_is_bounded,
        a_scan_finds_what_stays_while_others_come_and_go,
    }
    flights {
        a_missing_value_is_reserved_and_filled,
        a_present_value_is_a_hit,
        a_second_caller_is_told_to_wait,
        a_waiting_caller_gets_the_value_at_once,
        a_released_reservation_goes_to_the_next,
        a_reservation_ends_with_its_lease,
        a_lost_reservation_fills_nothing,
        a_lost_reservation_releases_nothing,
        a_reservation_fills_once,
        a_value_set_by_others_is_a_hit,
        a_value_too_large_releases_its_reservation,
        a_filled_value_has_its_time_to_live,
        reservations_are_apart_by_space_and_key,
        a_hundred_callers_compute_a_value_once,
        a_hundred_callers_outlive_fillers_that_give_up,
    }
    stats {
        hits_and_misses_are_counted,
        entries_and_bytes_are_counted,
        the_back_end_has_a_name,
    }
}
