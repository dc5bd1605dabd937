// What became of a stream's values: when they are in the sound, what the client is told, and when a stream is over.
#include <utility>

#include "server/control/param_streams.hpp"
#include "server/control/param_streams_one.hpp"

namespace continuo::control {

void ParamStreams::home(const Ptr& one, std::uint64_t collected, std::uint64_t sequence, const v1::Revision& revision,
                        AudioLink::Fate fate, rt::FrameCount frame) {
  --one->flights;
  // What was superseded is in the sound when that is which took its place; which settle() finds out.
  if (fate == AudioLink::Fate::applied && collected > one->settled) {
    one->settled = collected;
    one->applied_sequence = sequence;
    one->applied_frame = frame;
    if (revision.number() >= one->revision.number()) one->revision = revision;
    one->news = true;
  }
  one->awake = true;
  if (fate == AudioLink::Fate::lost) return;
  settle(one);
  look_soon();
}

/// Nothing is under way, and yet what was collected last is not known to be in the sound: it is, when the audio thread
/// has come to what is sent now.
void ParamStreams::settle(const Ptr& one) {
  if (one->flights > 0 || one->settled >= one->collected || closed_) return;
  if (parts_.link.waiting() > 0 || !parts_.link.room()) return;  // the device stands still: look() tries again
  ++one->flights;
  one->sent = Clock::now();
  parts_.link.send({}, [this, weak = std::weak_ptr(one), collected = one->collected,
                        sequence = one->collected_sequence](AudioLink::Fate fate, rt::FrameCount frame) {
    if (const Ptr still = weak.lock()) home(still, collected, sequence, parts_.history.revision(), fate, frame);
  });
  parts_.pump.wake();
}

void ParamStreams::report(One& one, Clock::time_point now) {
  ParamStream::Counts counts = one.stream->counts();
  v1::StreamParamsResponse::Report report;
  report.set_received(counts.received);
  report.set_coalesced(counts.coalesced);
  report.set_refused(counts.refused);
  report.set_refused_reason(std::move(counts.reason));
  report.set_refused_message(std::move(counts.message));
  report.set_applied_sequence(one.applied_sequence);
  if (one.applied_frame) report.set_engine_frame(*one.applied_frame);
  *report.mutable_revision() = one.revision;
  one.told_refusals = counts.refused;
  one.told = now;
  one.news = false;
  one.client.report(std::move(report));
}

bool ParamStreams::finished(One& one, Clock::time_point now) {
  if (!one.closed_at) return false;
  const bool late = now >= *one.closed_at + kLinger;
  if (late) {
    one.stream->drop_waiting(make_error(ErrorKind::aborted, "STREAM_ENDED", "changes.engine_frames",
                                        "the stream is over, and its clock stands still"));
    one.news = one.news || one.stream->refusals() != one.told_refusals;
  }
  return !one.stream->dirty() && !one.stream->first_frame() &&
         (late || (one.flights == 0 && one.step_flights == 0 && one.settled >= one.collected));
}

}  // namespace continuo::control
