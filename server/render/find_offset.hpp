// THREAD: job - by how many frames one audio file begins later than another
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "server/base/result.hpp"

namespace continuo::render {

/// Frame i of `a` is frame i + offset of `b`: the offset of at most one second, to either side, at which most of their
/// first seconds is the same; the nearest of several. Nothing where no run of frames that could be told from others is
/// in both, sample by sample. Errors as media::probe.
[[nodiscard]] Result<std::optional<std::int64_t>> find_offset(const std::filesystem::path& a,
                                                              const std::filesystem::path& b);

}  // namespace continuo::render
