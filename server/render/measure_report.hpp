// THREAD: any - what the program says of a sound's measures, for a person and as one line of JSON
#pragma once

#include <string>
#include <vector>

#include "server/base/result.hpp"
#include "server/render/measure.hpp"

namespace continuo::render {

/// Two lines for a table: what the columns are, and their units.
[[nodiscard]] std::string measure_heading();
/// A row of it; the file comes last.
[[nodiscard]] std::string measure_row(const std::string& file, const FileMeasure& measure);
/// Numbers that were not measured are absent.
[[nodiscard]] std::string measure_json(const std::string& file, const FileMeasure& measure);
/// Of a file that could not be measured.
[[nodiscard]] std::string measure_error_json(const std::string& file, const Error& error, int exit_code);

/// "-23.0 LUFS, range 7.1 LU, true peak -1.2 dBTP"
[[nodiscard]] std::string loudness_text(const LoudnessReport& loudness);
/// A line each, the line's end before it.
[[nodiscard]] std::string stems_text(const std::vector<StemReport>& stems);
/// A list of objects.
[[nodiscard]] std::string stems_json(const std::vector<StemReport>& stems);
/// The members of an object, without its braces.
[[nodiscard]] std::string loudness_json(const LoudnessReport& loudness);

}  // namespace continuo::render
