#include "server/control/identify.hpp"

#include <optional>
#include <utility>

#include "rt/nodes/generator.hpp"

namespace continuo::control {
namespace {

constexpr double kSilenceDb = -150.0;
constexpr double kToneHz = 1000.0;
constexpr double kEdgeMs = 5.0;
constexpr double kBurstSeconds = 0.1;
constexpr double kPeriodSeconds = 0.5;
constexpr std::chrono::milliseconds kTurn{50};

}  // namespace

struct Identify::Tone {
  std::uint64_t token = 0;
  rt::Uid uid = 0;
  double level_db = -30.0;
  double seconds = 3.0;
  Done<v1::IdentifyResponse> done;
  std::optional<rt::NodeRef> node;  // once it is in the plan
  rt::FrameCount next_burst = 0;    // engine frame
  rt::FrameCount last_frame = 0;    // its time is over; a burst that sounds is heard out
  rt::FrameCount burst_end = 0;
  Timer::Clock::time_point limit;  // a device that stands still ends it, too
  std::unique_ptr<Timer> timer;
};

void Identify::begin(std::uint64_t token, const v1::IdentifyRequest& request, Done<v1::IdentifyResponse> done) {
  const auto bad = [&](const char* field, std::string message) {
    done(make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", field, std::move(message)));
  };
  const double seconds = request.has_seconds() ? request.seconds() : 3.0;
  const double level = request.has_level_db() ? request.level_db() : -30.0;
  if (!(seconds >= 0.1 && seconds <= 60.0)) return bad("seconds", "seconds must be 0.1 to 60");
  if (!(level >= -80.0 && level <= -10.0)) return bad("level_db", "level_db must be -80 to -10");
  if (request.channel() == 0) return bad("channel", "channels count from 1");
  const std::uint32_t channels = parts_.graph.shape().out_channels;
  if (request.channel() > channels) {
    return done(make_error(ErrorKind::not_found, "NO_CHANNEL", "channel",
                           "there is no out:" + std::to_string(request.channel()) + ": the device has " +
                               std::to_string(channels) + " output channels"));
  }
  if (tones_.size() >= kMaxAtOnce) {
    return done(
        make_error(ErrorKind::resource_exhausted, "TOO_MANY", "", "too many channels are being identified at once"));
  }
  auto tone = std::make_shared<Tone>();
  tone->token = token;
  tone->uid = parts_.uids.next();
  tone->level_db = level;
  tone->seconds = seconds;
  tone->done = std::move(done);
  tone->limit = Timer::Clock::now() + std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000.0) + 3000);
  tone->timer = std::make_unique<Timer>(parts_.strand);
  tones_[token] = tone;

  Graph::Overlay overlay;
  overlay.node.id = "identify " + std::to_string(token);  // no client can give such an id
  overlay.node.type = "oscillator";
  overlay.node.uid = tone->uid;
  overlay.node.params = {{"frequency_hz", kToneHz}, {"gain_db", kSilenceDb}};
  overlay.connection.from = {overlay.node.id, "out", 0};
  overlay.connection.to = {"out", "", request.channel()};
  overlay.connection.channels = {{1, 1}};
  overlay.connection.uid = parts_.uids.next();
  parts_.graph.overlays[token] = std::move(overlay);
  parts_.jobs.add([this, tone](JobQueue::Finish finish) {
    Delta delta;
    delta.document = parts_.graph.document();
    delta.compile = true;
    parts_.delivery.deliver(
        std::move(delta), [finish](const auto&) { finish(); },
        [this, tone](AudioLink::Fate fate, rt::FrameCount frame) {
          if (fate == AudioLink::Fate::applied) sounding(tone, frame);
        });
  });
  tone->timer->at(tone->limit, [this, token] { this->end(token); });
}

void Identify::sounding(const std::shared_ptr<Tone>& tone, rt::FrameCount frame) {
  if (!tones_.contains(tone->token)) return;
  tone->node = parts_.graph.param_target(tone->uid);
  tone->next_burst = frame;
  tone->last_frame = frame + static_cast<rt::FrameCount>(tone->seconds * parts_.graph.shape().sample_rate_hz);
  turn(tone);
}

void Identify::turn(const std::shared_ptr<Tone>& tone) {
  const rt::FrameCount now = parts_.transport.reading().engine_frame;
  if ((now >= tone->last_frame && now >= tone->burst_end) || Timer::Clock::now() >= tone->limit || !tone->node)
    return end(tone->token);
  const double rate = parts_.graph.shape().sample_rate_hz;
  if (now >= tone->next_burst && now < tone->last_frame) {
    rt::Action action;
    action.kind = rt::Action::Kind::set_param;
    action.node = *tone->node;
    action.param = rt::OscillatorParam::gain_db;
    action.ramp_frames = parts_.graph.ramp_frames(kEdgeMs);
    const auto at = [&](double db, rt::FrameCount frame) {
      AudioLink::Shipment shipment;
      action.value = db;
      shipment.actions.push_back(action);
      shipment.frame = frame;
      shipment.free = true;
      parts_.link.send(std::move(shipment));
    };
    // Both edges at frames of their own: a burst is as long as it should be however busy the strand is.
    const rt::FrameCount begin = now + static_cast<rt::FrameCount>(rate * 0.05);
    at(tone->level_db, begin);
    at(kSilenceDb, begin + static_cast<rt::FrameCount>(rate * kBurstSeconds));
    tone->burst_end = begin + static_cast<rt::FrameCount>(rate * (kBurstSeconds + 0.01));
    parts_.pump.wake();
    tone->next_burst = now + static_cast<rt::FrameCount>(rate * kPeriodSeconds);
  }
  tone->timer->after(kTurn, [this, tone] { turn(tone); });
}

void Identify::end(std::uint64_t token) {
  const auto found = tones_.find(token);
  if (found == tones_.end()) return;
  const std::shared_ptr<Tone> tone = found->second;
  tones_.erase(found);
  parts_.graph.overlays.erase(token);
  parts_.delivery.compile_again();  // its edge fades out
  tone->timer->cancel();
  if (tone->done) std::exchange(tone->done, nullptr)(v1::IdentifyResponse{});
}

void Identify::close() {
  while (!tones_.empty()) end(tones_.begin()->first);
}

}  // namespace continuo::control
