"""Golden programs about optimizers, what all of them can do, and learning rates that change."""

import numpy as np

from golden.table import LABELS, X, program, variants, walk


def _trained(keras, optimizer, **arguments):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(5, activation="tanh", name="hidden"),
            keras.layers.Dense(3, activation="softmax", name="out"),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return walk(model, X, LABELS, **arguments)


@variants(
    amsgrad=lambda keras: keras.optimizers.Adam(0.01, amsgrad=True, beta_2=0.9),
    adamw=lambda keras: "adamw",
    adamw_given=lambda keras: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    adamax=lambda keras: "adamax",
    adamax_given=lambda keras: keras.optimizers.Adamax(0.02, beta_1=0.8, beta_2=0.9, epsilon=1e-3),
    nadam=lambda keras: "nadam",
    nadam_given=lambda keras: keras.optimizers.Nadam(0.02, beta_1=0.8, beta_2=0.9),
    adagrad=lambda keras: "adagrad",
    adagrad_given=lambda keras: keras.optimizers.Adagrad(0.1, initial_accumulator_value=0.5, epsilon=1e-3),
    adadelta=lambda keras: "adadelta",
    adadelta_given=lambda keras: keras.optimizers.Adadelta(1.0, rho=0.8, epsilon=1e-4),
    lion=lambda keras: "lion",
    lion_given=lambda keras: keras.optimizers.Lion(0.01, beta_1=0.8, beta_2=0.7, weight_decay=0.1),
    muon=lambda keras: keras.optimizers.Muon(0.01),
    muon_given=lambda keras: keras.optimizers.Muon(
        0.01, exclude_layers=["out"], nesterov=False, momentum=0.8, ns_steps=3, rms_rate=None, weight_decay=0.1
    ),
    adafactor=lambda keras: "adafactor",
    adafactor_given=lambda keras: keras.optimizers.Adafactor(
        0.5, beta_2_decay=-0.6, epsilon_2=0.01, clip_threshold=0.5, relative_step=False, weight_decay=0.1
    ),
    lamb=lambda keras: keras.optimizers.Lamb(),
    lamb_given=lambda keras: keras.optimizers.Lamb(0.05, beta_1=0.8, beta_2=0.9, epsilon=1e-3, clipnorm=0.1),
    ftrl=lambda keras: "ftrl",
    ftrl_given=lambda keras: keras.optimizers.Ftrl(
        0.2,
        learning_rate_power=-0.6,
        initial_accumulator_value=0.3,
        l1_regularization_strength=0.01,
        l2_regularization_strength=0.02,
        l2_shrinkage_regularization_strength=0.03,
        beta=0.5,
    ),
)
def further_optimizer(keras, optimizer):
    return _trained(keras, optimizer)


@variants(
    clipnorm=lambda keras: {"clipnorm": 0.05},
    clipvalue=lambda keras: {"clipvalue": 0.01},
    global_clipnorm=lambda keras: {"global_clipnorm": 0.1},
    weight_decay=lambda keras: {"weight_decay": 0.1},
    ema=lambda keras: {"use_ema": True, "ema_momentum": 0.8},
    ema_overwriting=lambda keras: {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3},
    accumulation=lambda keras: {"gradient_accumulation_steps": 3},
    accumulation_clipped=lambda keras: {"gradient_accumulation_steps": 2, "clipnorm": 0.1},
    loss_scale=lambda keras: {"loss_scale_factor": 4.0},
)
def option_of_optimizers(keras, option):
    adam = _trained(keras, keras.optimizers.Adam(0.01, **option))
    sgd = _trained(keras, keras.optimizers.SGD(0.1, momentum=0.9, **option))
    return {"adam": adam, "sgd": sgd}


@program
def weights_excluded_from_decay(keras):
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return _trained(keras, optimizer)


SCHEDULES = {
    "exponential": lambda of: of.ExponentialDecay(0.1, 5, 0.5),
    "exponential_staircase": lambda of: of.ExponentialDecay(0.1, 5, 0.5, staircase=True),
    "piecewise": lambda of: of.PiecewiseConstantDecay([3, 10], [0.1, 0.05, 0.01]),
    "polynomial": lambda of: of.PolynomialDecay(0.1, 10, 0.01, power=2.0),
    "polynomial_cycle": lambda of: of.PolynomialDecay(0.1, 4, 0.01, cycle=True),
    "inverse_time": lambda of: of.InverseTimeDecay(0.1, 5, 0.5),
    "inverse_time_staircase": lambda of: of.InverseTimeDecay(0.1, 5, 0.5, staircase=True),
    "cosine": lambda of: of.CosineDecay(0.1, 20, alpha=0.1),
    "cosine_warmup": lambda of: of.CosineDecay(0.01, 15, warmup_target=0.1, warmup_steps=5),
    "restarts": lambda of: of.CosineDecayRestarts(0.1, 4),
    "restarts_given": lambda of: of.CosineDecayRestarts(0.1, 4, t_mul=1.0, m_mul=0.8, alpha=0.05),
}


def _schedule(name):
    return lambda keras: SCHEDULES[name](keras.optimizers.schedules)


@variants(**{name: _schedule(name) for name in SCHEDULES})
def learning_rate_by(keras, schedule):
    rates = np.array([float(schedule(step)) for step in range(40)])
    found = _trained(keras, keras.optimizers.SGD(schedule), epochs=5)
    return {"rates": rates, "config": schedule.get_config(), **found}


@program
def learning_rate_read_and_set(keras):
    optimizer = keras.optimizers.Adam(0.01)
    rates = [float(optimizer.learning_rate.numpy())]
    optimizer.learning_rate = 0.02
    rates.append(float(optimizer.learning_rate))
    optimizer.learning_rate.assign(0.03)
    rates.append(float(optimizer.learning_rate))
    found = _trained(keras, optimizer, epochs=2)
    return {"rates": rates, "steps": int(optimizer.iterations), **found}
