// THREAD: any - jobs for people: a line, a table's cells, what became of one; and waiting for one
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clients/cli/context.hpp"
#include "clients/cli/failure.hpp"
#include "clients/cli/job_client.hpp"

namespace continuo::cli {

[[nodiscard]] JobClient job_client(Context& context);

/// "render", "running".
[[nodiscard]] std::string kind_text(v1::Job::Kind kind);
[[nodiscard]] std::string state_text(v1::Job::State state);
/// "43 %"; empty where nobody knows.
[[nodiscard]] std::string progress_text(const v1::Job& job);
/// What a job came to: "24000 frames, 2 channels, peak -3.00 dBFS", or why it came to nothing.
[[nodiscard]] std::string outcome_text(const v1::Job& job);
/// Of a render that measured: the output's loudness, then a line for each node.
[[nodiscard]] std::vector<std::string> loudness_lines(const v1::Job& job);
[[nodiscard]] bool has_ended(const v1::Job& job);

/// The exit code of a job that failed, by its reason: the same as of a call that fails with it.
[[nodiscard]] ExitCode exit_code_of(const std::string& reason);

/// Why a job is no longer followed, and that it goes on: who tries again shall not begin it twice. Code and reason
/// stay.
[[nodiscard]] Failure left_behind(const Failure& failure, std::uint64_t job_id);

/// Follows it to its end: a line that is rewritten on a terminal, one JSON line for each change with --json. A job that
/// failed or was cancelled is a Failure; at an interrupt (EX_TEMPFAIL), or where it cannot be followed, it goes on
/// without us, and the Failure names it.
v1::Job wait_for(Context& context, JobClient& client, const v1::Job& job);

}  // namespace continuo::cli
