#include "server/device/realtime.hpp"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "server/device/memory_lock.hpp"

namespace continuo::device {
namespace {

// The stack grows down: what a callback uses lies below the top, where the thread's own block is too.
std::pair<char*, std::size_t> stack_top(pthread_t thread) {
  pthread_attr_t attributes;
  if (pthread_getattr_np(thread, &attributes) != 0) return {nullptr, 0};
  void* lowest = nullptr;
  std::size_t size = 0;
  const int error = pthread_attr_getstack(&attributes, &lowest, &size);
  pthread_attr_destroy(&attributes);
  if (error != 0 || lowest == nullptr) return {nullptr, 0};
  const std::size_t part = std::min(size, kStackBytes);
  return {static_cast<char*>(lowest) + (size - part), part};
}

}  // namespace

void name_audio_thread(pthread_t thread) { pthread_setname_np(thread, kAudioThreadName); }

std::string realtime_remedy() {
  return "allow real-time priorities (RTPRIO): LimitRTPRIO=95 in the systemd unit, or for a user '@audio - rtprio 95' "
         "in "
         "/etc/security/limits.d and membership of the group audio";
}

std::string ask_realtime(pthread_t thread, int priority) {
  if (priority <= 0) return {};
  sched_param param{};
  param.sched_priority = std::clamp(priority, sched_get_priority_min(SCHED_FIFO), sched_get_priority_max(SCHED_FIFO));
  int error = pthread_setschedparam(thread, SCHED_FIFO, &param);
  rlimit limit{};
  if (error == EPERM && getrlimit(RLIMIT_RTPRIO, &limit) == 0 && limit.rlim_cur > 0 &&
      static_cast<rlim_t>(param.sched_priority) > limit.rlim_cur) {
    param.sched_priority = static_cast<int>(limit.rlim_cur);  // less than asked is better than none
    error = pthread_setschedparam(thread, SCHED_FIFO, &param);
  }
  if (error == 0) return {};
  return std::string("the audio thread has no real-time priority (") + std::strerror(error) + "): " + realtime_remedy();
}

void read_scheduling(pthread_t thread, RealtimeReport& report) {
  int policy = 0;
  sched_param param{};
  if (const int error = pthread_getschedparam(thread, &policy, &param); error != 0) {
    report.policy = "unknown";
    report.priority = 0;
    report.warning = std::string("the audio thread's priority cannot be read: ") + std::strerror(error);
    return;
  }
  report.thread_known = true;
  report.priority = param.sched_priority;
  switch (policy & ~SCHED_RESET_ON_FORK) {
    case SCHED_FIFO:
      report.policy = "SCHED_FIFO";
      break;
    case SCHED_RR:
      report.policy = "SCHED_RR";
      break;
    case SCHED_OTHER:
      report.policy = "SCHED_OTHER";
      break;
    case SCHED_BATCH:
      report.policy = "SCHED_BATCH";
      break;
    case SCHED_IDLE:
      report.policy = "SCHED_IDLE";
      break;
    default:
      report.policy = "policy " + std::to_string(policy);
      break;
  }
}

void pin_stack(pthread_t thread) {
  if (const auto [begin, bytes] = stack_top(thread); begin != nullptr) lock_memory(begin, bytes);
}

void unpin_stack(pthread_t thread) {
  if (const auto [begin, bytes] = stack_top(thread); begin != nullptr) unlock_memory(begin, bytes);
}

}  // namespace continuo::device
