// THREAD: control - which instructions the kernels may use
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace continuo::rt {

/// Levels of the x86-64 psABI. The samples are the same on each; only their cost differs.
enum class CpuLevel : std::uint8_t { baseline, v3, v4 };

/// The highest level that this CPU and its operating system support.
[[nodiscard]] CpuLevel best_cpu_level() noexcept;

/// "baseline", "v3" or "v4".
[[nodiscard]] std::optional<CpuLevel> parse_cpu_level(std::string_view text) noexcept;
[[nodiscard]] std::string_view name_of(CpuLevel level) noexcept;

/// What the environment's CONTINUO_CPU asks for, else the best. An unknown name, or a level that this CPU lacks, is no
/// choice: the best is taken and `refused` (if given) is set, for the program to say so.
[[nodiscard]] CpuLevel chosen_cpu_level(bool* refused = nullptr) noexcept;

}  // namespace continuo::rt
