//! The one suite that decides what a correct store is. A store joins in with one line:
//!
//! ```ignore
//! consign_testkit::conforms!(sqlite, Sqlite);
//! ```
//!
//! where `Sqlite` is its [`Backend`]. Each case is a sentence that is true when it passes, and begins with a
//! fresh world over that store.

#![expect(missing_docs, reason = "a case's name is its sentence")]
#![expect(clippy::unwrap_used, reason = "the cases are tests, for others to stamp")]

pub mod agents;
pub mod claims;
pub mod failures;
pub mod hammer;
pub mod idempotency;
pub mod inboxes;
pub mod leases;
pub mod listening;
pub mod lists;
pub mod races;
pub mod reading;
pub mod retention;
pub mod time;
pub mod trees;
pub mod verdicts;

use std::future::Future;

use crate::{Backend, World};

/// Runs one case in a fresh world.
pub fn run<B: Backend, F: Future<Output = ()>>(case: impl FnOnce(World<B>) -> F) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().expect("a test can have a runtime");
    runtime.block_on(async { case(World::new().await).await });
}

/// Stamps every case of the suite for one store, as tests in a module of the given name.
#[macro_export]
macro_rules! conforms {
    ($store:ident, $backend:ident) => {
        mod $store {
            $crate::stamp! {
                $backend
                agents {
                    a_record_is_written_whole_and_the_same_again_changes_nothing
                    what_a_delegation_leaves_open_is_in_its_agents_records
                    a_record_that_changes_or_goes_changes_no_delegation
                    removing_a_record_leaves_what_was_read
                    a_registration_whose_commit_is_unknown_is_done_once
                    records_outlive_a_restart
                    everyone_known_is_listed_by_id_page_by_page
                    an_agents_health_tells_its_work_and_its_messages
                    an_answer_without_a_heartbeat_is_a_sign_of_life
                    how_an_agent_ended_what_it_ended_last_is_told
                }
                claims {
                    the_highest_priority_comes_first_and_then_who_has_waited_longest
                    a_claim_is_the_first_sign_of_life_and_gives_the_lease
                    no_two_claims_of_a_batch_get_the_same
                    a_claim_sees_what_the_acts_before_it_decided
                    the_same_claim_gets_what_it_holds_while_that_is_current
                    a_claim_whose_commit_was_not_answered_is_recognised
                    what_is_stuck_and_held_by_nobody_may_be_claimed
                    what_is_past_its_deadline_is_not_handed_out
                    a_row_that_cannot_exist_holds_up_nobody_behind_it
                    whoever_leaves_before_the_claim_is_decided_takes_nothing
                    of_many_claims_by_two_writers_each_delegation_is_taken_once
                    one_claim_that_two_writers_are_asked_for_gets_one_answer
                    a_callee_claims_no_more_than_it_may_hold
                    no_more_is_delegated_to_a_callee_than_may_wait_for_it
                    limits_hold_for_two_writers_together
                }
                failures {
                    a_batch_that_fails_is_run_again
                    a_batch_runs_again_after_pauses_that_grow_and_come_to_an_end
                    a_commit_that_keeps_failing_is_told_and_changes_nothing
                    a_commit_whose_outcome_is_unknown_is_done_once_and_answered_as_it_was_decided
                    a_commit_whose_outcome_is_unknown_may_fail_again_before_it_is_known
                    a_command_that_the_store_rejects_fails_alone
                    what_the_database_rejects_midway_leaves_nothing_behind
                    a_row_that_cannot_exist_affects_only_itself
                    a_row_beside_one_that_cannot_exist_gets_its_verdict
                    nothing_is_acknowledged_before_it_is_committed
                    nothing_acknowledged_is_lost_when_the_server_is_killed
                    a_server_killed_with_a_batch_in_hand_did_it_whole_or_not_at_all
                    requests_that_arrive_while_a_batch_commits_form_the_next_one
                    a_beat_that_was_not_recorded_is_told_and_the_mark_waits_for_it
                    an_outage_of_the_database_is_nobodys_silence
                    an_error_in_a_pass_is_counted_and_the_next_pass_does_the_rest
                    a_step_of_a_pass_that_the_store_rejects_fails_alone
                    whether_facts_can_be_written_is_tried_only_where_the_last_could_not_be
                }
                idempotency {
                    the_same_id_replays_in_every_status
                    an_id_belongs_to_its_first_request
                    a_replay_is_decided_before_deadlines_and_limits
                    a_key_is_held_while_in_flight_and_after_completion
                    a_key_is_freed_by_failure_and_cancellation
                    a_key_belongs_to_its_caller
                    id_and_key_must_not_name_two_rows
                    a_request_replays_by_its_id_also_where_its_key_was_freed_and_taken
                    fifty_concurrent_requests_with_one_key_make_one_delegation
                    fifty_concurrent_requests_with_one_id_make_one_delegation
                    one_batch_answers_a_request_and_its_repetition
                    a_key_freed_in_a_batch_is_taken_in_the_same_batch
                    a_retry_takes_the_key_over_where_it_is_free
                    a_terminal_delegation_has_one_retry
                    a_retry_gets_as_long_as_the_old_one_had_and_not_longer_than_anybody
                    a_second_retry_of_a_terminal_delegation_must_ask_for_the_same
                    a_repeated_retry_is_recognised_by_its_guard_or_until_somebody_takes_the_work
                    an_act_on_what_was_looked_at_is_refused_once_it_changed
                    json_that_means_the_same_is_the_same_request
                }
                inboxes {
                    an_inbox_is_read_from_the_acknowledged_point
                    a_page_of_long_results_ends_early_and_the_next_goes_on
                    a_message_that_was_not_acknowledged_is_read_again_as_it_was
                    the_acknowledged_point_never_goes_back
                    what_is_not_there_yet_cannot_be_acknowledged
                    an_acknowledgement_whose_commit_is_unknown_can_be_repeated
                    a_message_that_was_never_seen_is_never_acknowledged
                }
                leases {
                    once_a_lease_was_issued_the_callee_must_show_it
                    a_lease_belongs_to_its_delegation
                    of_two_claimers_one_gets_the_lease
                    the_same_claim_gets_the_same_lease_while_its_attempt_is_current
                    a_lease_outlives_a_restart
                    release_gives_the_work_back_and_burns_no_attempt
                    retry_hands_the_same_delegation_out_again
                    setting_a_status_takes_the_lease_where_the_status_is_the_callees_to_set
                    progress_is_new_in_a_new_attempt
                    a_record_needs_no_lease
                    what_its_caller_hands_out_is_not_handed_out_by_itself
                    work_that_nobody_holds_can_be_accepted_in_every_status_in_flight
                    an_answer_under_a_void_lease_is_refused_and_kept
                    who_shows_no_lease_once_the_work_was_handed_out_again_is_told_to_stop
                    an_answer_without_a_lease_to_work_that_was_handed_out_again_is_kept
                }
                listening {
                    a_threshold_lowered_at_restart_holds_from_the_first_pass
                    a_lowered_threshold_holds_however_near_the_old_check_was
                    a_lowered_threshold_finds_what_was_left_to_its_deadline
                    a_threshold_raised_at_restart_holds_at_once
                    only_silence_in_listening_time_counts
                    downtime_is_a_gap_and_is_subtracted
                    restarts_every_few_seconds_do_not_blind_the_sweeper
                    a_process_that_wakes_up_judges_by_its_mark_from_before_its_sleep
                    a_clock_that_jumps_forward_is_a_gap_and_deadlines_are_absolute
                    a_clock_that_jumps_back_neither_turns_nor_stops_time
                    no_healthy_fleet_is_marked_whatever_the_server_goes_through
                    the_brake_holds_the_verdicts_when_most_of_the_fleet_falls_silent_together
                    one_that_falls_silent_alone_is_found_at_once
                    twenty_are_too_few_for_the_brake
                }
                lists {
                    each_filter_narrows_and_all_narrow_together
                    pages_go_on_where_the_last_one_ended_and_miss_nothing
                    a_page_of_long_notes_ends_early_and_the_next_goes_on
                    prefixes_are_text_and_no_pattern
                    a_list_shows_what_find_shows
                }
                races {
                    a_pass_that_races_an_act_loses
                    a_pass_that_races_an_act_for_a_deadline_loses
                    a_pass_that_races_a_second_pass_finds_nothing_left
                    a_row_is_rearmed_only_if_it_is_what_was_seen
                    a_look_behind_the_deadline_is_left_to_the_deadline
                    a_beat_after_any_transition_gets_an_exact_answer
                    two_commands_for_one_delegation_in_one_batch_are_decided_in_their_order
                    an_act_on_what_the_same_batch_creates_sees_it
                    of_rival_verdicts_by_two_writers_one_is_recorded
                    who_has_seen_a_number_is_never_shown_a_smaller_one_later
                }
                reading {
                    odd_ids_are_ids
                    an_id_is_never_found_under_another_spelling
                    bodies_come_back_as_they_were_sent
                    events_are_numbered_from_one_and_come_in_pages
                    an_event_names_its_caller_and_whoever_is_its_callee_now
                    an_event_names_its_actor_and_both_statuses
                    an_inbox_comes_in_pages_and_tells_the_verdict
                    the_tallies_are_the_counts
                    no_id_disappears_when_the_ledger_tidies_up
                    the_last_thousand_reports_are_kept_newest_first
                    the_fleet_is_who_beats_and_does_not_wait
                    delegations_are_found_by_number_in_the_order_asked_for
                    a_delegation_that_nobody_made_is_not_there
                    an_event_of_every_kind_can_be_read_back
                }
                retention {
                    a_verdict_goes_after_its_time_and_earlier_once_it_is_acknowledged
                    nothing_in_flight_goes_however_old_it_is
                    what_goes_goes_with_everything_that_belongs_to_it
                    an_id_that_went_can_be_used_anew
                    a_lease_of_what_went_is_void_for_what_has_its_id_now
                    what_is_named_by_another_stays_until_that_one_has_gone
                    only_the_version_that_was_seen_goes
                    who_reads_by_a_cursor_is_not_disturbed
                    two_that_prune_share_the_work_and_fail_nobody
                    a_prune_that_is_cut_off_removed_whole_delegations_or_nothing
                }
                time {
                    a_heartbeat_spares_the_delegation
                    silence_is_stuck_once_it_is_longer_than_the_threshold
                    a_delegation_without_a_heartbeat_is_left_for_its_deadline
                    nothing_that_postpones_a_check_can_hide_a_deadline
                    a_wait_stops_the_clocks_and_then_they_run_again_from_that_moment
                    a_wait_found_over_late_counts_from_its_end
                    a_wait_lasts_as_long_as_its_kind
                    a_beat_that_says_nothing_of_waiting_leaves_the_wait_as_it_is
                    being_stuck_ends_a_wait_and_its_clocks_run_from_there
                    stuck_for_longer_than_its_grace_it_is_handed_out_again_while_attempts_are_left
                    without_a_grace_only_attempts_bring_one
                    a_retry_by_hand_turns_no_automatic_retry_on
                    a_failure_that_was_reported_is_not_retried
                    who_must_begin_in_time_is_stuck_or_failed
                    a_hand_out_has_its_own_time_to_begin
                    a_heartbeat_without_progress_is_no_progress
                    progress_counts_from_the_start_where_none_came
                    what_was_reported_stuck_recovers_by_any_heartbeat
                    the_living_are_looked_at_once_per_threshold_however_often_they_beat
                    a_dry_run_tells_what_a_pass_would_do_and_writes_nothing
                    the_earliest_due_time_follows_every_change
                }
                trees {
                    a_child_is_delegated_by_its_parents_callee_under_a_parent_in_flight
                    a_childs_deadline_is_clipped_to_its_parents
                    a_tree_is_sixteen_deep_and_no_deeper
                    nobody_waits_for_themselves_further_up
                    cancelling_a_parent_cancels_its_children_level_by_level
                    a_cascade_outlives_a_restart
                    a_cascade_of_hundreds_comes_to_its_end
                    other_ends_leave_children_alone_unless_told_otherwise
                    a_child_of_a_later_attempt_outlives_the_cascade_of_an_earlier_one
                    a_wait_on_a_child_ends_with_the_childs_verdict
                    a_wait_on_a_child_that_has_its_verdict_does_not_begin
                    a_child_that_misses_its_deadline_ends_its_parents_wait
                }
                verdicts {
                    every_delegation_ends_at_its_deadline_plus_one_pass_at_the_latest
                    a_verdict_keeps_what_was_heard_last
                    a_verdict_is_recorded_at_most_once
                    each_status_in_flight_can_be_completed_failed_and_cancelled
                    the_deadline_wins_where_silence_holds_too
                    a_delegation_past_its_deadline_is_in_flight_until_its_verdict_is_written
                    the_first_detail_fills_a_verdict_that_had_none
                    at_most_ten_late_results_are_kept_and_each_once
                    the_eleventh_late_result_is_told_what_is_true_of_its_delegation
                    a_late_result_tells_who_gave_it_when_and_why_it_came_too_late
                    a_refused_act_changes_nothing_and_says_what_to_do
                    an_act_whose_answer_was_lost_can_be_repeated_without_being_done_twice
                    the_error_detail_describes_the_present_and_the_event_keeps_it
                    the_version_counts_events_and_heartbeats_leave_it_alone
                    a_verdict_tells_the_caller_once_and_warnings_only_on_request
                    an_operator_overrides_with_a_reason_that_the_event_keeps
                    stuck_is_in_flight_and_an_answer_still_counts
                }
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! stamp {
    ($backend:ident $($theme:ident { $($case:ident)* })*) => {
        $(mod $theme {
            use super::super::$backend;

            $(#[test]
            fn $case() {
                $crate::conformance::run::<$backend, _>($crate::conformance::$theme::$case);
            })*
        })*
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_case_is_stamped() {
        let list = include_str!("mod.rs");
        let themes = [
            ("agents", include_str!("agents.rs")),
            ("claims", include_str!("claims.rs")),
            ("failures", include_str!("failures.rs")),
            ("idempotency", include_str!("idempotency.rs")),
            ("inboxes", include_str!("inboxes.rs")),
            ("leases", include_str!("leases.rs")),
            ("listening", include_str!("listening.rs")),
            ("lists", include_str!("lists.rs")),
            ("races", include_str!("races.rs")),
            ("reading", include_str!("reading.rs")),
            ("retention", include_str!("retention.rs")),
            ("time", include_str!("time.rs")),
            ("trees", include_str!("trees.rs")),
            ("verdicts", include_str!("verdicts.rs")),
        ];
        for (theme, source) in themes {
            for case in source.lines().filter_map(|line| line.strip_prefix("pub async fn ")) {
                let name = case.split(['<', '(']).next().unwrap_or_default();
                let stamped = list.lines().any(|line| line.trim() == name);
                assert!(stamped, "{theme}::{name} is not in the list of `conforms!`");
            }
        }
    }
}
