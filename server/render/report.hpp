// THREAD: any - what the program says, for a person and as one line of JSON
#pragma once

#include <string>
#include <string_view>

#include "server/base/result.hpp"
#include "server/render/compare.hpp"
#include "server/render/media_scan.hpp"
#include "server/render/offline_renderer.hpp"

namespace continuo::render {

/// dB of full scale, -150 is silence; never an infinity, never NaN.
[[nodiscard]] double level_db(double linear);

/// In quotes, escaped; what is not UTF-8 becomes U+FFFD, so that the line stays JSON.
[[nodiscard]] std::string json_string(std::string_view text);

/// Control characters, which a file's name may hold, as spaces.
[[nodiscard]] std::string one_line(std::string text);

/// "message (REASON, field)", on one line whatever the parts hold.
[[nodiscard]] std::string error_text(const Error& error);
[[nodiscard]] std::string error_json(const Error& error, int exit_code);

/// What the render took.
struct Effort {
  double wall_s = 0.0;
  double cpu_s = 0.0;     // of all threads
  bool verified = false;  // both include the second render then
};

[[nodiscard]] std::string render_text(const RenderResult& result);
[[nodiscard]] std::string render_json(const RenderResult& result, const Effort& effort);

[[nodiscard]] std::string compare_text(const Comparison& comparison, const std::string& a, const std::string& b);
[[nodiscard]] std::string compare_json(const Comparison& comparison);

/// What a check of a valid session found: how many nodes, which media cannot be played.
[[nodiscard]] std::string check_text(std::size_t nodes, const MediaScan& scan);
[[nodiscard]] std::string check_json(std::size_t nodes, const MediaScan& scan);

}  // namespace continuo::render
