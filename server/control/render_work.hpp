// THREAD: any that may wait - one render from the session's text to a file that only needs its name
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "continuo/v1/job.pb.h"
#include "server/base/result.hpp"
#include "server/control/graph.hpp"
#include "server/control/job_ticket.hpp"
#include "server/control/render_child.hpp"
#include "server/media/hidden_file.hpp"
#include "server/media/roots.hpp"

namespace continuo::control {

struct RenderOrder {
  v1::StartRenderRequest request;
  DocumentPtr document;
  std::string base;  // "root:folder" where the session's relative media begin, or empty
  double rate_hz = 48000.0;
  media::Roots roots;
  std::filesystem::path program;
  std::string hidden;  // what the output is called until it is whole
};

/// Nodes whose loudness one render tells.
inline constexpr std::size_t kMaxStems = 1000;

/// Where a render begins or ends at the latest: the greatest frame that continuo-render takes.
inline constexpr std::int64_t kMostRenderFrames = std::int64_t{1} << 40;

/// INVALID_ARGUMENT: a name, a range or a format that no render can have, too many stems, or one that gives no sound in
/// any render; NOT_FOUND: a stem that `document` does not have.
[[nodiscard]] Result<> check_render(const v1::StartRenderRequest& request, const session::Document& document);

/// The words for continuo-render: all of them ours.
[[nodiscard]] std::vector<std::string> render_arguments(const RenderOrder& order);

struct Rendered {
  std::shared_ptr<media::HiddenFile> file;
  v1::Job result;
};
/// Blocks. Nothing is left where it fails.
[[nodiscard]] Result<Rendered> render_aside(const RenderOrder& order, RenderChild& child,
                                            const std::function<void(double)>& progress);

}  // namespace continuo::control
