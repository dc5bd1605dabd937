#include "rt/cpu_level.hpp"

#include <cstdlib>

namespace continuo::rt {

CpuLevel best_cpu_level() noexcept {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                  __builtin_cpu_supports("fma");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  if (v4) return CpuLevel::v4;
  if (v3) return CpuLevel::v3;
#endif
  return CpuLevel::baseline;
}

std::optional<CpuLevel> parse_cpu_level(std::string_view text) noexcept {
  for (const CpuLevel level : {CpuLevel::baseline, CpuLevel::v3, CpuLevel::v4}) {
    if (text == name_of(level)) return level;
  }
  return std::nullopt;
}

std::string_view name_of(CpuLevel level) noexcept {
  switch (level) {
    case CpuLevel::v3:
      return "v3";
    case CpuLevel::v4:
      return "v4";
    case CpuLevel::baseline:
      break;
  }
  return "baseline";
}

CpuLevel chosen_cpu_level(bool* refused) noexcept {
  const CpuLevel best = best_cpu_level();
  if (refused != nullptr) *refused = false;
  const char* wanted = std::getenv("CONTINUO_CPU");
  if (wanted == nullptr || *wanted == '\0') return best;
  const std::optional<CpuLevel> level = parse_cpu_level(wanted);
  if (level && *level <= best) return *level;
  if (refused != nullptr) *refused = true;
  return best;
}

}  // namespace continuo::rt
