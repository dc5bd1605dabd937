#include "server/control/loss_watch.hpp"

#include <utility>

namespace continuo::control {

void LossWatch::look(const v1::GetStatusResponse::Counters& counters, Clock::time_point now) {
  const auto one = [&](const char* name, std::uint64_t value, const char* what) {
    Seen& seen = seen_[name];
    if (value <= seen.value || (seen.told != Clock::time_point{} && now - seen.told < kEvery)) return;
    v1::Event event;
    event.set_kind(v1::Event::KIND_LOSS);
    event.set_severity(v1::Event::SEVERITY_WARNING);
    event.set_cause(name);
    event.set_count(value - seen.value);
    event.set_message(std::to_string(value - seen.value) + " " + what);
    seen = {value, now};
    journal_.add(std::move(event));
  };
  one("XRUNS", counters.xruns(), "buffers came too late for the sound device");
  one("STARVED_FRAMES", counters.starved_frames(), "frames of players were silent, because the disk was too slow");
  one("LOST_RECORD_FRAMES", counters.lost_record_frames(), "frames of takes were lost, because the disk was too slow");
  one("NON_FINITE_SAMPLES", counters.non_finite_samples(), "samples of NaN or Inf at the output were silenced");
  one("NON_FINITE_INPUTS", counters.non_finite_inputs(), "samples of NaN or Inf came from the device");
  one("NON_FINITE_RECORDED", counters.non_finite_recorded(), "samples of NaN or Inf in takes were written as silence");
  one("COMMANDS_REFUSED", counters.commands_refused(), "commands found no room on the audio thread");
}

}  // namespace continuo::control
