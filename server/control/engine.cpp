#include "server/control/engine.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/struct.pb.h>

#include <utility>

#include "continuo/v1/event.pb.h"
#include "continuo/v1/job.pb.h"
#include "server/control/describe.hpp"
#include "server/control/engine_impl.hpp"
#include "server/control/journal_lines.hpp"
#include "server/session/session_file.hpp"

namespace continuo::control {

namespace {

/// What the messages are made of is worked out once in a process, by whoever looks first: here, before there is a
/// second thread, so that no edit of a show pays for it, and no two threads meet in it.
void describe_messages() {
  for (const google::protobuf::Descriptor* one :
       {v1::Session::descriptor(), v1::Operation::descriptor(), v1::WatchResponse::descriptor(),
        v1::GetStatusResponse::descriptor(), v1::Event::descriptor(), v1::Job::descriptor(),
        google::protobuf::Struct::descriptor()})
    static_cast<void>(one->file()->name());
}

}  // namespace

Engine::Engine(boost::asio::io_context& io, EngineConfig config, std::unique_ptr<device::DeviceFactory> factory)
    : impl_((describe_messages(), std::make_shared<Impl>(io, std::move(config), std::move(factory)))) {}

Engine::~Engine() {
  const bool left = impl_->devices.stop_now() && !impl_->driver_hangs;
  // A callback that may still come must find the renderer: what it needs stays for the rest of the process.
  if (!left) static_cast<void>(new std::shared_ptr<Impl>(std::move(impl_)));
}

void Engine::start(Done<std::monostate> done) {
  impl_->on_strand(std::move(done), [impl = impl_.get()](Done<std::monostate> answer) {
    impl->check_transfers();
    impl->devices.start([impl, answer = std::move(answer)](const Result<std::monostate>& started) {
      if (!started) return answer(started);
      impl->saver.read_ids([impl, answer] { impl->resume.begin([answer] { answer(std::monostate{}); }); });
    });
  });
}

void Engine::shutdown(Done<std::monostate> done) {
  impl_->strand.post([impl = impl_.get(), done = std::move(done)] { impl->shutdown(done); });
}

void Engine::apply(v1::ApplyRequest request, Done<v1::ApplyResponse> done, std::string identity) {
  if (!request.dry_run()) {
    // What was refused is in the journal; what was accepted comes there by the line of changes.
    done = [impl = impl_.get(), what = operations_text(request.operations()), client = request.client(), identity,
            told = std::move(done)](Result<v1::ApplyResponse> result) {
      if (!result) impl->journal.add(refusal_of(result.error(), what, origin_of(client, identity)));
      told(std::move(result));
    };
  }
  impl_->on_strand(std::move(done), [impl = impl_.get(), request = std::move(request),
                                     identity = std::move(identity)](Done<v1::ApplyResponse> answer) mutable {
    impl->transactions.apply(std::move(request), std::move(answer), std::move(identity));
  });
}

void Engine::list_scheduled(v1::ListScheduledRequest request, Done<v1::ListScheduledResponse> done) {
  impl_->on_strand(std::move(done),
                   [impl = impl_.get(), request = std::move(request)](Done<v1::ListScheduledResponse> answer) {
                     answer(impl->scheduled.list(request));
                   });
}

void Engine::cancel_scheduled(v1::CancelScheduledRequest request,
                              std::function<Result<>(const v1::ApplyRequest&)> allowed,
                              Done<v1::CancelScheduledResponse> done, std::string identity) {
  impl_->on_strand(std::move(done), [impl = impl_.get(), request = std::move(request), allowed = std::move(allowed),
                                     identity = std::move(identity)](Done<v1::CancelScheduledResponse> answer) {
    impl->transactions.cancel(request, allowed, std::move(answer), identity);
  });
}

void Engine::load(LoadRequest request, Done<v1::LoadSessionResponse> done) {
  if (!request.dry_run) {
    if (!request.job)
      request.job = impl_->desk.begin(v1::Job::KIND_LOAD, request.base, origin_of(request.client, request.identity));
    done = [impl = impl_.get(), origin = origin_of(request.client, request.identity), job = request.job,
            told = std::move(done)](Result<v1::LoadSessionResponse> result) {
      if (result) {
        v1::Event event;
        event.set_kind(v1::Event::KIND_LOAD);
        event.set_message("session \"" + impl->graph.document()->name + "\" loaded, " +
                          std::to_string(result->warnings_size()) + " warnings");
        *event.mutable_origin() = origin;
        *event.mutable_revision() = result->revision();
        impl->journal.add(std::move(event));
      } else {
        impl->journal.add(refusal_of(result.error(), "load of a session", origin));
      }
      v1::Job outcome;
      if (result) *outcome.mutable_revision() = result->revision();
      job.end(result ? JobTicket::Outcome(std::move(outcome)) : JobTicket::Outcome(result.error()));
      told(std::move(result));
    };
  }
  impl_->on_strand(std::move(done),
                   [impl = impl_.get(), request = std::move(request)](Done<v1::LoadSessionResponse> answer) mutable {
                     impl->loader.load(std::move(request), std::move(answer));
                   });
}

void Engine::get_session(Done<SessionText> done) {
  impl_->on_strand(std::move(done), [impl = impl_.get()](Done<SessionText> answer) {
    // The document is a value: a worker prints it while the strand goes on.
    impl->worker.post([document = impl->graph.document(), revision = impl->history.revision(),
                       answer = std::move(answer), post = impl->strand.poster()] {
      auto text = std::make_shared<const std::string>(session::print_session(*document));
      post([text, revision, answer] { answer(SessionText{text, revision}); });
    });
  });
}

void Engine::list_params(std::string path, Done<v1::ListParamsResponse> done) {
  impl_->on_strand(std::move(done), [impl = impl_.get(), path = std::move(path)](Done<v1::ListParamsResponse> answer) {
    Result<v1::ListParamsResponse> params = describe_params(*impl->graph.document(), path);
    if (params) {
      if (const Sources::Queue* const queue = impl->sources.queue(params->uid()))
        params->set_queue_revision(queue->revision);
      *params->mutable_changed() =
          impl->transactions.node_revisions().of(params->uid(), impl->history.revision().epoch());
    }
    answer(std::move(params));
  });
}

void Engine::why(v1::WhyRequest request, Done<v1::WhyResponse> done) {
  impl_->on_strand(std::move(done), [impl = impl_.get(), request = std::move(request)](Done<v1::WhyResponse> answer) {
    impl->why.ask(request, std::move(answer));
  });
}

void Engine::status(Done<v1::GetStatusResponse> done) {
  impl_->on_strand(std::move(done), [impl = impl_.get()](Done<v1::GetStatusResponse> answer) {
    const std::string journal = impl->journal.problem();
    if (journal.empty())
      impl->report.notices.erase("journal");
    else
      impl->report.notices["journal"] = journal;
    v1::GetStatusResponse status = impl->report.make();
    impl->cues.report(status);
    answer(std::move(status));
  });
}

void Engine::info(Done<v1::GetInfoResponse> done) {
  impl_->on_strand(std::move(done), [impl = impl_.get()](Done<v1::GetInfoResponse> answer) { answer(impl->info()); });
}

void Engine::list_devices(Done<v1::ListDevicesResponse> done) {
  impl_->on_strand(std::move(done), [impl = impl_.get()](Done<v1::ListDevicesResponse> answer) {
    impl->devices.list([impl, answer = std::move(answer)](const Result<std::vector<device::DeviceInfo>>& listed) {
      if (!listed) return answer(listed.error());
      const device::Device* current = impl->devices.current();
      v1::ListDevicesResponse all = describe_devices(*listed, current == nullptr ? nullptr : &current->info(),
                                                     impl->config.input_labels, impl->config.output_labels);
      const v1::Calibration* found = current == nullptr ? nullptr : impl->round_trips.measured(current->info());
      for (auto& one : *all.mutable_devices()) {
        if (found != nullptr && one.in_use()) *one.mutable_calibration() = *found;
      }
      answer(std::move(all));
    });
  });
}

void Engine::use_device(v1::UseDeviceRequest request, Done<v1::UseDeviceResponse> done) {
  impl_->on_strand(
      std::move(done), [impl = impl_.get(), request = std::move(request)](Done<v1::UseDeviceResponse> answer) {
        const auto allowed = [impl, tokens = request.leases()] { return impl->leases.check_at("", tokens); };
        impl->devices.use(request, allowed, std::move(answer));
      });
}

std::uint64_t Engine::identify(v1::IdentifyRequest request, Done<v1::IdentifyResponse> done) {
  const std::uint64_t token = impl_->next_token.fetch_add(1, std::memory_order_relaxed);
  impl_->on_strand(std::move(done),
                   [impl = impl_.get(), request = std::move(request), token](Done<v1::IdentifyResponse> answer) {
                     if (const Result<> free = impl->leases.check_at("", request.leases()); !free)
                       return answer(free.error());
                     impl->identify.begin(token, request, std::move(answer));
                   });
  return token;
}

void Engine::stop_identify(std::uint64_t token) {
  impl_->strand.post([impl = impl_.get(), token] { impl->identify.end(token); });
}

void Engine::calibrate(v1::CalibrateRequest request, Done<v1::CalibrateResponse> done, std::string identity,
                       std::string client) {
  const std::uint64_t token = impl_->next_token.fetch_add(2, std::memory_order_relaxed);
  JobTicket job;
  if (!request.forget()) {
    job =
        impl_->desk.begin(v1::Job::KIND_CALIBRATE,
                          "out:" + std::to_string(request.output()) + " to in:" + std::to_string(request.input()),
                          origin_of(client, identity), [impl = impl_.get(), token] { impl->calibrate.cancel(token); });
    done = [job, told = std::move(done)](Result<v1::CalibrateResponse> result) {
      v1::Job outcome;
      if (result) *outcome.mutable_calibration() = result->calibration();
      job.end(result ? JobTicket::Outcome(std::move(outcome)) : JobTicket::Outcome(result.error()));
      told(std::move(result));
    };
  }
  impl_->on_strand(std::move(done), [impl = impl_.get(), request = std::move(request), token,
                                     job = std::move(job)](Done<v1::CalibrateResponse> answer) {
    if (const Result<> free = impl->leases.check_at("", request.leases()); !free) return answer(free.error());
    impl->calibrate.begin(token, request, std::move(answer), job);
  });
}

void Engine::set_notice(std::string who, std::string notice) {
  impl_->strand.post([impl = impl_.get(), who = std::move(who), notice = std::move(notice)]() mutable {
    if (notice.empty())
      impl->report.notices.erase(who);
    else
      impl->report.notices[who] = std::move(notice);
  });
}

v1::Clock Engine::clock() const { return impl_->clock(); }

bool Engine::audio_alive() const { return impl_->devices.audio_alive(); }

void Engine::watch(v1::WatchRequest request, Done<std::shared_ptr<Feed<v1::WatchResponse>>> done) {
  impl_->on_strand(std::move(done), [impl = impl_.get(), request = std::move(request)](
                                        Done<std::shared_ptr<Feed<v1::WatchResponse>>> answer) {
    if (impl->history.full()) {
      return answer(make_error(ErrorKind::resource_exhausted, "TOO_MANY_WATCHERS", "",
                               "at most " + std::to_string(History::kMaxWatchers) + " clients watch at once"));
    }
    if (request.has_from_sequence() && !request.has_from_revision()) {
      return answer(make_error(ErrorKind::invalid_argument, "WRONG_FIELD", "from_sequence",
                               "from_sequence needs from_revision, for its epoch"));
    }
    answer(impl->history.watch(request));
  });
}

void Engine::watch_meters(v1::WatchMetersRequest request, Done<std::shared_ptr<Feed<v1::MeterFrame>>> done) {
  if (Result<> good = MeterPoller::check(request); !good)
    return impl_->on_strand(std::move(done), [error = good.error()](const auto& answer) { answer(error); });
  std::vector<std::string> nodes(request.nodes().begin(), request.nodes().end());
  impl_->with_meters(std::move(nodes), std::move(done),
                     [impl = impl_.get(), request = std::move(request)] { return impl->meters.watch(request); });
}

journal::Journal& Engine::journal() { return impl_->journal; }

MediaLibrary& Engine::media() { return impl_->library; }

JobDesk& Engine::jobs() { return impl_->desk; }

ParamStreams& Engine::params() { return impl_->params; }

}  // namespace continuo::control
