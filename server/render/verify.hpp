// THREAD: job - a render that is rendered again, another way
#pragma once

#include "server/base/result.hpp"
#include "server/render/offline_renderer.hpp"

namespace continuo::render {

/// Renders `document` once more to nowhere, in blocks of another size and with another number of threads, and compares
/// every sample with `first` (rendered with RenderOptions::checksums). INTERNAL "NOT_REPRODUCIBLE" where they differ:
/// the message says between which frames.
[[nodiscard]] Result<> verify_render(const session::Document& document, const RenderOptions& options,
                                     const RenderResult& first);

}  // namespace continuo::render
