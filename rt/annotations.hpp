// THREAD: any - what the compiler and the run-time checker are told about the audio thread
#pragma once

#include <utility>

/// `RT_NONBLOCKING` after `noexcept` claims: neither allocates, frees, locks, waits, throws nor calls the system.
/// clang 20 and newer prove it at compile time (-Wfunction-effects is an error in the `check` preset) and
/// RealtimeSanitizer watches it at run time. On other compilers it expands to nothing.
#if defined(__clang__) && __clang_major__ >= 20
#define RT_NONBLOCKING [[clang::nonblocking]]
#define RT_BLOCKING [[clang::blocking]]
#define RT_UNCHECKED_BEGIN                                                                 \
  _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wunknown-warning-option\"") \
      _Pragma("clang diagnostic ignored \"-Wfunction-effects\"")
#define RT_UNCHECKED_END _Pragma("clang diagnostic pop")
#else
#define RT_NONBLOCKING
#define RT_BLOCKING
#define RT_UNCHECKED_BEGIN
#define RT_UNCHECKED_END
#endif

#if defined(__has_feature)
#if __has_feature(realtime_sanitizer)
#include <sanitizer/rtsan_interface.h>
#define RT_HAS_RTSAN 1
#endif
#endif
#ifndef RT_HAS_RTSAN
#define RT_HAS_RTSAN 0
#endif

namespace continuo::rt {

/// A door: calls `f()` without the compile-time check; the run-time check stays on. Every use is listed, with its
/// reason, in rt/README.md.
template <class F>
constexpr decltype(auto) trusted(F&& f) noexcept RT_NONBLOCKING {
  RT_UNCHECKED_BEGIN
  return std::forward<F>(f)();
  RT_UNCHECKED_END
}

/// A door: calls `f()` with neither check. Every use is listed, with its reason, in rt/README.md.
template <class F>
decltype(auto) exempt(F&& f) noexcept RT_NONBLOCKING {
  RT_UNCHECKED_BEGIN
#if RT_HAS_RTSAN
  __rtsan::ScopedDisabler off;
#endif
  return std::forward<F>(f)();
  RT_UNCHECKED_END
}

}  // namespace continuo::rt
